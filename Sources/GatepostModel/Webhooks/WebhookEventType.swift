/// What an app can be told of.
///
/// The names are part of the contract with receivers: one may be added, none renamed.
package enum WebhookEventType: String, Sendable, CaseIterable, Codable {
    /// Somebody signed up with an address that was new to the app; it is not proved yet.
    case userCreated = "user.created"
    /// The address was proved.
    case userVerified = "user.verified"
    /// The user has another address, or the old one again.
    case userEmailChanged = "user.email_changed"
    case userDeactivated = "user.deactivated"
    case userReactivated = "user.reactivated"
    /// The user was given a role of the app, or one was taken away.
    case userRolesChanged = "user.roles_changed"
    /// A session ended, for whatever reason; one notice a session.
    case sessionEnded = "session.ended"
}

package import GatepostModel
import Postgres

/// What a mail about a flow depends on, read at the moment it is sent.
///
/// Between owing and sending, the flow may have been used or superseded and the user deactivated; a mail that was
/// right when it was owed would then hand out a dead link, or a live one to the wrong mailbox.
package struct FlowForMail: Sendable {
    /// The user whom the flow is about, as of now.
    package struct User: Sendable {
        /// As entered: the address on the envelope.
        package let email: String
        /// In lower case, as the flow keeps it.
        package let emailCanonical: String
        package let isVerified: Bool
        package let isDeactivated: Bool
        package let authEpoch: Int32
        package let locale: String?
    }

    /// Nil for a kind that this version does not know, whose mail it cannot write.
    package let kind: FlowKind?
    /// `pending`, `passed` or `refused`.
    package let state: String
    package let email: String
    /// As typed, where the flow changes an address; nil for any other kind.
    package let emailEntered: String?
    package let locale: String?
    package let authEpoch: Int32
    package let secretEpoch: Int16
    package let expiresAt: Instant
    /// Nil for a flow without a user.
    package let user: User?

    init(_ row: PostgresRow) throws {
        kind = FlowKind(rawValue: try row.get("kind"))
        state = try row.get("state")
        email = try row.get("email")
        emailEntered = try row.get("email_entered")
        locale = try row.get("locale")
        authEpoch = try row.get("auth_epoch")
        secretEpoch = try row.get("secret_epoch")
        expiresAt = try row.get("expires_at")
        user = try row.get("user_email_entered", as: String?.self).map { email in
            User(
                email: email, emailCanonical: try row.get("user_email"), isVerified: try row.get("user_is_verified"),
                isDeactivated: try row.get("user_is_deactivated"), authEpoch: try row.get("user_auth_epoch"),
                locale: try row.get("user_locale"))
        }
    }
}

/// What a mail to a user depends on, read at the moment it is sent.
package struct UserForMail: Sendable {
    /// As entered: the address on the envelope.
    package let email: String
    /// When the address was proved; nil if it never was.
    package let verifiedAt: Instant?
    package let isDeactivated: Bool
    package let locale: String?

    init(_ row: PostgresRow) throws {
        email = try row.get("email_entered")
        verifiedAt = try row.get("email_verified_at")
        isDeactivated = try row.get("is_deactivated")
        locale = try row.get("locale")
    }
}

extension AppBatch {
    /// A flow with its user, as of now; nil if it has been deleted.
    package mutating func flowForMail(_ id: FlowID) -> BatchReading<FlowForMail?> {
        flowsForMail([id]).map { $0[id] }
    }

    /// Flows with their users, as of now; those that have been deleted are missing.
    package mutating func flowsForMail(_ ids: [FlowID]) -> BatchReading<[FlowID: FlowForMail]> {
        read(
            """
            select f.id, f.kind, f.state, f.email, f.email_entered, f.locale, f.auth_epoch, f.secret_epoch,
                   f.expires_at, u.locale as user_locale,
                   u.email_entered as user_email_entered, u.email as user_email,
                   u.email_verified_at is not null as user_is_verified,
                   u.state = 'deactivated' as user_is_deactivated, u.auth_epoch as user_auth_epoch
              from flows as f
              left join users as u on u.app_id = f.app_id and u.id = f.user_id
             where f.app_id = \(scope.appID) and f.id = any (\(ids))
            """
        ) { rows in
            try rows.reduce(into: [:]) { flows, row in flows[try row.get("id")] = try FlowForMail(row) }
        }
    }

    /// A user as of now; nil if there is none.
    package mutating func userForMail(_ id: UserID) -> BatchReading<UserForMail?> {
        read(
            """
            select email_entered, email_verified_at, state = 'deactivated' as is_deactivated, locale
              from users
             where app_id = \(scope.appID) and id = \(id)
            """
        ) { try $0.first.map(UserForMail.init) }
    }
}

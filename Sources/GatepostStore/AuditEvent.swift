import FoundationEssentials
package import GatepostModel

/// Where a request came from, as far as the server knows.
package struct RequestOrigin: Sendable {
    /// The longest user agent that is kept, in characters.
    package static let userAgentLengthMax = 300

    /// The client's address as the server saw it, and what it says it is: neither proves who it was.
    package let ip: String?
    package let userAgent: String?
    /// What it presents as proof that it has signed in before; read by the limits, kept nowhere.
    package var device: Secret?
    /// The client that has stated the address for whom it calls; nil where the server saw it itself.
    package let statedBy: ClientID?

    /// Takes the client's address and its user agent, shortened and without control characters.
    package init(ip: String?, userAgent: String?, device: Secret? = nil, statedBy: ClientID? = nil) {
        (self.ip, self.device, self.statedBy) = (ip, device, statedBy)
        self.userAgent = userAgent.map { text in
            String(
                text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(Self.userAgentLengthMax)
                    .reduce(into: "") { $0.unicodeScalars.append($1) })
        }
    }

    /// No request: an operator at the command line, a worker.
    package static let none = RequestOrigin(ip: nil, userAgent: nil)
}

/// A fact about a user or an app, written in the transaction of the change that it records.
package struct AuditEvent: Sendable {
    /// Who did it.
    package enum Actor: Sendable, Hashable {
        /// The user whom the event is about, who has proved to be them.
        case user
        /// Somebody who has proved nothing yet.
        case anyone
        /// Somebody at the command line.
        case `operator`
        /// A worker, on its own account.
        case worker
        /// A user of the built-in app.
        case admin(UserID)
        /// A program with a key to the admin API.
        case apiKey(APIKeyID)

        /// Whoever asks the admin API, or does the same at the command line.
        package init(_ principal: AdminPrincipal) {
            switch principal.identity {
            case .admin(let user): self = .admin(user)
            case .apiKey(let key, _): self = .apiKey(key)
            case .operator: self = .operator
            }
        }

        /// As `audit_events.actor_kind` has it.
        var kind: String {
            switch self {
            case .user: "user"
            case .anyone: "anyone"
            case .operator: "operator"
            case .worker: "worker"
            case .admin: "admin"
            case .apiKey: "api_key"
            }
        }

        /// Whose row it is: of a user or of a key, as the kind says; nil where the kind says all.
        var id: UUIDBits? {
            switch self {
            case .admin(let user): user.uuid
            case .apiKey(let key): key.uuid
            case .user, .anyone, .operator, .worker: nil
            }
        }
    }

    /// What happened, noun first: `sign_up.started`.
    package enum Kind: String, Sendable, CaseIterable {
        case appCreated = "app.created"
        case appChanged = "app.changed"
        case appSuspended = "app.suspended"
        case appResumed = "app.resumed"
        case clientCreated = "client.created"
        case clientChanged = "client.changed"
        case clientRefused = "client.refused"
        case clientTokenIssued = "client_token.issued"
        case clientSecretCreated = "client_secret.created"
        case clientSecretRevoked = "client_secret.revoked"
        case consentGranted = "consent.granted"
        case consentRevoked = "consent.revoked"
        case signUpStarted = "sign_up.started"
        case signUpRefused = "sign_up.refused"
        case verificationResent = "verification.resent"
        case verificationRefused = "verification.refused"
        case userVerified = "user.verified"
        case signInPassed = "sign_in.passed"
        case signInRefused = "sign_in.refused"
        case emailSignInStarted = "email_sign_in.started"
        case passwordResetStarted = "password_reset.started"
        case passwordResetRefused = "password_reset.refused"
        case passwordChanged = "password.changed"
        case passwordChangeRefused = "password_change.refused"
        case emailChangeStarted = "email_change.started"
        case emailChangeRefused = "email_change.refused"
        case emailChanged = "email.changed"
        case emailChangeUndone = "email_change.undone"
        case sessionStarted = "session.started"
        case sessionEnded = "session.ended"
        case tokenRefreshed = "token.refreshed"
        case tokenRefused = "token.refused"
        case userSignedOutEverywhere = "user.signed_out_everywhere"
        case userSignedOutElsewhere = "user.signed_out_elsewhere"
        case requestRefused = "request.refused"
        case signingKeyCreated = "signing_key.created"
        case signingKeyActivated = "signing_key.activated"
        case signingKeyRetired = "signing_key.retired"
        case signingKeyDeleted = "signing_key.deleted"
        case signingKeyRevoked = "signing_key.revoked"
        case messageCancelled = "message.cancelled"
        case messageHeld = "message.held"
        case messageReleased = "message.released"
        case messageRedriven = "message.redriven"
        case messageResent = "message.resent"
        case capturedMailOpened = "captured_mail.opened"
        case userDeleted = "user.deleted"
        case userDeactivated = "user.deactivated"
        case userReactivated = "user.reactivated"
        case userClaimsChanged = "user.claims_changed"
        case roleCreated = "role.created"
        case roleChanged = "role.changed"
        case roleDeleted = "role.deleted"
        case roleAssigned = "role.assigned"
        case roleUnassigned = "role.unassigned"
        case adminInvited = "admin.invited"
        case adminJoined = "admin.joined"
        case adminGranted = "admin.granted"
        case adminRevoked = "admin.revoked"
        case apiKeyCreated = "api_key.created"
        case apiKeyRevoked = "api_key.revoked"
        case webhookEndpointCreated = "webhook_endpoint.created"
        case webhookEndpointChanged = "webhook_endpoint.changed"
        case webhookEndpointDeleted = "webhook_endpoint.deleted"
        case webhookEndpointDisabled = "webhook_endpoint.disabled"
        case webhookSecretRotated = "webhook_secret.rotated"
        case identityProviderCreated = "identity_provider.created"
        case identityProviderChanged = "identity_provider.changed"
        case identityProviderDisabled = "identity_provider.disabled"
        case identityProviderDeleted = "identity_provider.deleted"
        case identityLinked = "identity.linked"
        case identityUnlinked = "identity.unlinked"
        case providerSignInStarted = "provider_sign_in.started"
        case factorAsked = "factor.asked"
        case factorEnrolmentStarted = "factor.enrolment_started"
        case factorEnrolled = "factor.enrolled"
        case factorRemoved = "factor.removed"
        case factorReset = "factor.reset"
        case factorRefused = "factor.refused"
        case recoveryCodeUsed = "recovery_code.used"
        case recoveryCodesReplaced = "recovery_codes.replaced"
        case auditExportRequested = "audit_export.requested"
        case auditExportFinished = "audit_export.finished"
        case auditExportDownloaded = "audit_export.downloaded"
        case auditExportFailed = "audit_export.failed"
    }

    package let id: AuditEventID
    /// What happened, by whose hand and when: the part that every event has.
    package let kind: Kind
    package let actor: Actor
    package let at: Instant
    /// Where it was asked from, and what it concerns; nil where it has nothing to do with that.
    package var origin: RequestOrigin
    package var userID: UserID?
    package var clientID: ClientID?
    package var sessionID: SessionID?
    package var flowID: FlowID?
    /// Why something was refused or ended, as a code; never what somebody typed.
    package var reason: String?
    /// What else belongs to it, by names of ours: `note`, in an admin's own words; ids of what was changed.
    ///
    /// Never a secret, and nothing that a stranger typed.
    package var details: [String: String] = [:]

    /// Describes an event; whom and what it concerns is set afterwards.
    package init(
        _ kind: Kind, by actor: Actor, id: AuditEventID, at: Instant, origin: RequestOrigin,
        userID: UserID? = nil, clientID: ClientID? = nil, sessionID: SessionID? = nil, flowID: FlowID? = nil,
        reason: String? = nil
    ) {
        (self.kind, self.actor, self.id, self.at, self.origin) = (kind, actor, id, at, origin)
        (self.userID, self.clientID, self.sessionID, self.flowID) = (userID, clientID, sessionID, flowID)
        self.reason = reason
    }

    /// The details as the row keeps them.
    var detailsJSON: String {
        var details = details
        details["ip_stated_by"] = origin.statedBy?.description
        guard !details.isEmpty else { return "{}" }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts by names always encode.
        return (try? encoder.encode(details)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

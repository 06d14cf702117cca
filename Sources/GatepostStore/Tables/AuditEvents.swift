package import GatepostModel
import Postgres

/// Where a request came from, as far as the server knows.
package struct RequestOrigin: Sendable {
    /// The longest user agent that is kept, in characters.
    package static let userAgentLengthMax = 300

    /// The peer's address as the server saw it, and what it says it is: neither proves who it was.
    package let ip: String?
    package let userAgent: String?

    /// Takes the peer's address and its user agent, shortened and without control characters.
    package init(ip: String?, userAgent: String?) {
        self.ip = ip
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
    package enum Actor: String, Sendable {
        /// The user whom the event is about, who has proved to be them.
        case user
        /// Somebody who has proved nothing yet.
        case anyone
        /// Somebody at the command line.
        case `operator`
        /// A worker, on its own account.
        case worker
    }

    /// What happened, noun first: `sign_up.started`.
    package enum Kind: String, Sendable, CaseIterable {
        case appCreated = "app.created"
        case clientCreated = "client.created"
        case signUpStarted = "sign_up.started"
        case signUpRefused = "sign_up.refused"
        case verificationResent = "verification.resent"
        case verificationRefused = "verification.refused"
        case userVerified = "user.verified"
        case signInPassed = "sign_in.passed"
        case signInRefused = "sign_in.refused"
        case sessionStarted = "session.started"
        case sessionEnded = "session.ended"
        case tokenRefreshed = "token.refreshed"
        case tokenRefused = "token.refused"
        case userSignedOutEverywhere = "user.signed_out_everywhere"
        case requestRefused = "request.refused"
        case signingKeyCreated = "signing_key.created"
        case signingKeyActivated = "signing_key.activated"
        case signingKeyRetired = "signing_key.retired"
        case signingKeyDeleted = "signing_key.deleted"
        case messageCancelled = "message.cancelled"
        case messageHeld = "message.held"
        case messageReleased = "message.released"
        case messageRedriven = "message.redriven"
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
}

extension AppBatch {
    /// Writes an event.
    package mutating func record(_ event: AuditEvent) {
        record(event, where: "")
    }

    /// Writes an event if the sign-in whose code this is came about: its guard may have said no.
    package mutating func record(_ event: AuditEvent, ifCodeExists codeHash: [UInt8]) {
        record(
            event,
            where: """
                where exists (select from authorization_codes
                               where app_id = \(scope.appID) and code_hash = \(codeHash))
                """)
    }

    /// Writes an event if the session exists, its user taken from there.
    package mutating func record(_ event: AuditEvent, ifSessionExists sessionID: SessionID) {
        record(
            event, userID: "s.user_id",
            where: "from sessions as s where s.app_id = \(scope.appID) and s.id = \(sessionID)")
    }

    /// Writes an event if the refresh token exists, its user and session taken from there.
    package mutating func record(_ event: AuditEvent, ifRefreshTokenExists tokenHash: [UInt8]) {
        record(
            event, userID: "s.user_id", sessionID: "s.id",
            where: """
                from refresh_tokens as t
                join token_families as f on f.app_id = t.app_id and f.id = t.family_id
                join sessions as s on s.app_id = f.app_id and s.id = f.session_id
                where t.app_id = \(scope.appID) and t.token_hash = \(tokenHash)
                """)
    }

    private mutating func record(
        _ event: AuditEvent, userID: SQL? = nil, sessionID: SQL? = nil, where condition: SQL
    ) {
        add(
            """
            insert into audit_events (app_id, id, kind, actor_kind, actor_id, user_id, client_id, session_id, flow_id,
                                      reason, ip, user_agent, details, created_at)
            select \(scope.appID), \(event.id), \(event.kind.rawValue), \(event.actor.rawValue), null,
                   \(userID ?? "\(event.userID)"), \(event.clientID), \(sessionID ?? "\(event.sessionID)"),
                   \(event.flowID), \(event.reason), \(event.origin.ip), \(event.origin.userAgent), '{}', \(event.at)
            \(condition)
            """)
    }
}

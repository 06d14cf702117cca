package import GatepostModel
import Postgres

/// Who has proved who they are, by what, and what must still be so when their sign-in ends.
package struct SignInProof: Sendable {
    /// What must still stand beside the user and their epoch.
    package enum Condition: Sendable {
        /// Nothing else.
        case none
        /// The password that was compared is still the one.
        case credential(version: Int32)
        /// The session of the hosted pages that answers for the user still lives.
        case session(SessionID)
    }

    /// Who it is.
    package let userID: UserID
    /// The user's epoch as it was read with the proof; nil where the same transaction has raised it.
    package let authEpoch: Int32?
    /// How they proved it (RFC 8176), and when.
    package let amr: [String]
    package let authenticatedAt: Instant
    package let condition: Condition

    /// Gathers what was proved.
    package init(
        userID: UserID, authEpoch: Int32?, amr: [String], authenticatedAt: Instant, condition: Condition = .none
    ) {
        (self.userID, self.authEpoch, self.amr) = (userID, authEpoch, amr)
        (self.authenticatedAt, self.condition) = (authenticatedAt, condition)
    }

    /// What a browser proves that is signed in to the hosted pages: what it has proved when it signed in.
    package init(of session: HostedSession) {
        self.init(
            userID: session.user.id, authEpoch: session.user.authEpoch, amr: session.amr,
            authenticatedAt: session.authenticatedAt, condition: .session(session.id))
    }

    /// Whether a second factor was proved, too.
    package var hasFactor: Bool { AuthenticationClass(methods: amr) == .twoFactors }

    /// That the proof is as much as user `u` of the app has to prove, whose row `stands` has found.
    func suffices(in scope: AppScope) -> SQL {
        hasFactor ? "true" : "not \(scope.asksForFactor)"
    }

    /// That user `u` of the app is the one, active, verified and unchanged since the proof.
    func stands(in app: AppID, at now: Instant) -> SQL {
        let epoch: SQL = authEpoch.map { "and u.auth_epoch = \($0)" } ?? ""
        let further: SQL =
            switch condition {
            case .none: ""
            case .credential(let version):
                """
                and exists (select from credentials as c
                             where c.app_id = u.app_id and c.user_id = u.id and c.kind = 'password'
                               and c.version = \(version))
                """
            case .session(let session):
                """
                and exists (select from sessions as s
                             where s.app_id = u.app_id and s.id = \(session) and s.user_id = u.id
                               and s.ended_at is null and s.expires_at > \(now) and s.idle_expires_at > \(now)
                               and s.auth_epoch = u.auth_epoch)
                """
            }
        return """
            u.app_id = \(app) and u.id = \(userID) and u.state = 'active' and u.email_verified_at is not null
            \(epoch) \(further)
            """
    }
}

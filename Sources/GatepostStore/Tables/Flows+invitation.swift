package import GatepostModel
import Postgres

/// What a new invitation consists of.
package struct NewInvitationFlow: Sendable {
    package let id: FlowID
    package let user: UserID
    package let secrets: FlowSecrets
    /// Held by nobody: an invitation is accepted wherever its mail is read.
    package let token: OneTimeToken
    package let createdAt: Instant
    package let expiresAt: Instant

    /// Puts a flow together.
    package init(
        id: FlowID, user: UserID, secrets: FlowSecrets, token: OneTimeToken, createdAt: Instant, expiresAt: Instant
    ) {
        (self.id, self.user, self.secrets, self.token) = (id, user, secrets, token)
        (self.createdAt, self.expiresAt) = (createdAt, expiresAt)
    }
}

extension AppBatch {
    /// Begins an invitation of a user who is there, invited for the first time or an admin already.
    package mutating func insertInvitationFlow(_ flow: NewInvitationFlow) {
        add(
            """
            insert into flows (app_id, id, kind, state, user_id, email, auth_epoch, secret_epoch, token_hash,
                               link_hash, code_hash, created_at, expires_at)
            select u.app_id, \(flow.id), \(FlowKind.adminInvitation.rawValue)::text, 'pending', u.id, u.email,
                   u.auth_epoch, \(flow.secrets.epoch), \(flow.token.hash), \(flow.secrets.linkToken.hash),
                   \(flow.secrets.codeHash(flow.secrets.code.revealed)), \(flow.createdAt), \(flow.expiresAt)
              from users as u
             where u.app_id = \(scope.appID) and u.id = \(flow.user) and u.state = 'active'
            """)
    }
}

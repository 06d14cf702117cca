package import GatepostModel
import Postgres

/// What an invitation to become an admin says, and what became of it.
package struct AdminInvitationRecord: Sendable {
    package let flow: FlowID
    package let email: String
    package let grant: AdminGrant
    /// The admin who invited; nil for an operator.
    package let invitedBy: UserID?
    /// Whether the invited person has a password here and need not choose one.
    package let hasPassword: Bool
    package let createdAt: Instant
    package let expiresAt: Instant

    init?(_ row: PostgresRow) throws {
        guard let grant = try AdminGrant(row) else { return nil }
        self.grant = grant
        flow = try row.get("id")
        email = try row.get("email")
        invitedBy = try row.get("invited_by")
        hasPassword = try row.get("has_password")
        createdAt = try row.get("created_at")
        expiresAt = try row.get("expires_at")
    }
}

extension AppBatch {
    /// Says what a flow that was begun in this batch invites to.
    package mutating func insertAdminInvitation(_ flow: FlowID, _ grant: AdminGrant, by inviter: UserID?) {
        add(
            """
            insert into admin_invitations (app_id, flow_id, role, target_app_id, user_id)
            values (\(scope.appID), \(flow), \(grant.role.rawValue), \(grant.app), \(inviter))
            """)
    }

    /// What a flow invites to; nil if it invites to nothing.
    package mutating func adminInvitation(_ flow: FlowID) -> BatchReading<AdminInvitationRecord?> {
        read(
            """
            select f.id, f.email, f.created_at, f.expires_at, i.role, i.target_app_id, i.user_id as invited_by,
                   u.email_verified_at is not null
                   and exists (select from credentials as c where c.app_id = u.app_id and c.user_id = u.id)
                   as has_password
              from admin_invitations as i
              join flows as f on f.app_id = i.app_id and f.id = i.flow_id
              join users as u on u.app_id = f.app_id and u.id = f.user_id
             where i.app_id = \(scope.appID) and i.flow_id = \(flow)
            """
        ) { try $0.first.flatMap(AdminInvitationRecord.init) }
    }
}

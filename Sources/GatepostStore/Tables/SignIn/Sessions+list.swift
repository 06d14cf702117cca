package import GatepostModel
import Postgres

/// A session that lives, as a list shows it.
package struct SessionRecord: Sendable {
    package let id: SessionID
    /// Nil for a browser that is signed in to the hosted pages.
    package let clientID: ClientID?
    package let userAgent: String?
    package let ip: String?
    package let authenticatedAt: Instant
    package let lastUsedAt: Instant
    package let expiresAt: Instant
}

extension AppBatch {
    /// The sessions of a user that may be used now, the last used one first.
    package mutating func liveSessions(
        of user: UserID, at now: Instant, limit: Int = 100
    ) -> BatchReading<[SessionRecord]> {
        read(
            """
            select s.id, s.client_id, s.user_agent, s.ip, s.authenticated_at, s.last_used_at, s.expires_at
              from sessions as s
              join users as u on u.app_id = s.app_id and u.id = s.user_id
             where s.app_id = \(scope.appID) and s.user_id = \(user)
               and s.ended_at is null and s.expires_at > \(now) and s.idle_expires_at > \(now)
               and u.state = 'active' and u.auth_epoch = s.auth_epoch
             order by s.last_used_at desc, s.id
             limit \(limit)
            """
        ) { rows in
            try rows.map { row in
                SessionRecord(
                    id: try row.get("id"), clientID: try row.get("client_id"), userAgent: try row.get("user_agent"),
                    ip: try row.get("ip"), authenticatedAt: try row.get("authenticated_at"),
                    lastUsedAt: try row.get("last_used_at"), expiresAt: try row.get("expires_at"))
            }
        }
    }
}

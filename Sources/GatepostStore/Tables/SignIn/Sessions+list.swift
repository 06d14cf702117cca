package import GatepostModel
import Postgres

/// A session that lives, as a list shows it.
package struct SessionRecord: Sendable {
    package let id: SessionID
    /// Nil for a browser that is signed in to the hosted pages.
    package let clientID: ClientID?
    /// The session of the hosted pages that it came from; nil for one of these, and where there was none.
    package let hostedID: SessionID?
    package let userAgent: String?
    package let ip: String?
    package let createdAt: Instant
    package let authenticatedAt: Instant
    package let lastUsedAt: Instant
    package let expiresAt: Instant

    /// What a person calls the device; nil where it said nothing of itself.
    package var device: String? { DeviceName(userAgent: userAgent)?.description }

    init(_ row: PostgresRow) throws {
        (id, clientID, hostedID) = (try row.get("id"), try row.get("client_id"), try row.get("hosted_session_id"))
        (userAgent, ip) = (try row.get("user_agent"), try row.get("ip"))
        (createdAt, authenticatedAt) = (try row.get("created_at"), try row.get("authenticated_at"))
        (lastUsedAt, expiresAt) = (try row.get("last_used_at"), try row.get("expires_at"))
    }
}

extension AppBatch {
    /// The sessions of a user that may be used now, the newest first.
    package mutating func liveSessions(
        of user: UserID, after cursor: PageCursor? = nil, at now: Instant, limit: Int = 100
    ) -> BatchReading<[SessionRecord]> {
        let further: SQL = cursor.map { "and (s.created_at, s.id) < (\($0.at), \($0.id))" } ?? ""
        return read(
            """
            select s.id, s.client_id, s.hosted_session_id, s.user_agent, s.ip, s.created_at, s.authenticated_at,
                   s.last_used_at, s.expires_at
              from sessions as s
              join users as u on u.app_id = s.app_id and u.id = s.user_id
             where s.app_id = \(scope.appID) and s.user_id = \(user) and \(sessionStands(at: now)) \(further)
             order by s.created_at desc, s.id desc
             limit \(limit)
            """
        ) { try $0.map(SessionRecord.init) }
    }

    /// One session of a user, if it may be used now.
    package mutating func liveSessionRecord(
        _ id: SessionID, of user: UserID, at now: Instant
    ) -> BatchReading<SessionRecord?> {
        read(
            """
            select s.id, s.client_id, s.hosted_session_id, s.user_agent, s.ip, s.created_at, s.authenticated_at,
                   s.last_used_at, s.expires_at
              from sessions as s
              join users as u on u.app_id = s.app_id and u.id = s.user_id
             where s.app_id = \(scope.appID) and s.id = \(id) and s.user_id = \(user) and \(sessionStands(at: now))
            """
        ) { try $0.first.map(SessionRecord.init) }
    }
}

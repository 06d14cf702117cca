import FoundationEssentials
package import GatepostModel
import Postgres

/// A recorded event as the list and the export show it: ids in text form, absent values left out.
package struct AuditEventRecord: Sendable, Encodable {
    package let id: AuditEventID
    package let createdAt: Instant
    package let kind: String
    package let actorKind: String
    /// In text form: a user of the built-in app or an API key, as the kind says.
    package let actorID: String?
    package let userID: UserID?
    package let clientID: ClientID?
    package let sessionID: SessionID?
    package let flowID: FlowID?
    package let reason: String?
    package let ip: String?
    package let userAgent: String?
    package let details: [String: String]

    enum CodingKeys: String, CodingKey {
        case id, kind, reason, ip, details
        case createdAt = "created_at"
        case actorKind = "actor_kind"
        case actorID = "actor_id"
        case userID = "user_id"
        case clientID = "client_id"
        case sessionID = "session_id"
        case flowID = "flow_id"
        case userAgent = "user_agent"
    }

    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        createdAt = try row.get("created_at")
        kind = try row.get("kind")
        let actorKind = try row.get("actor_kind", as: String.self)
        self.actorKind = actorKind
        actorID = try row.get("actor_id", as: UUIDBits?.self).map { uuid in
            actorKind == "api_key" ? APIKeyID(uuid: uuid).description : UserID(uuid: uuid).description
        }
        userID = try row.get("user_id")
        clientID = try row.get("client_id")
        sessionID = try row.get("session_id")
        flowID = try row.get("flow_id")
        reason = try row.get("reason")
        ip = try row.get("ip")
        userAgent = try row.get("user_agent")
        let details = try row.get("details", as: String.self)
        // Most events have none, and a decoder for each would be half of an export's time.
        self.details =
            details == "{}" ? [:] : try JSONDecoder().decode([String: String].self, from: Data(details.utf8))
    }

    /// The columns that `init` reads, of a table called `e`.
    ///
    /// Details are texts by names. Whatever else a row may hold becomes a text here, because one row that cannot be
    /// read would keep an export from ever being finished.
    static let columns: SQL = """
        e.id, e.created_at, e.kind, e.actor_kind, e.actor_id, e.user_id, e.client_id, e.session_id, e.flow_id,
        e.reason, e.ip, e.user_agent,
        case when e.details = '{}' or jsonb_typeof(e.details) <> 'object' then '{}'
             else (select jsonb_object_agg(d.key, coalesce(d.value, '')) from jsonb_each_text(e.details) as d)
        end as details
        """
}

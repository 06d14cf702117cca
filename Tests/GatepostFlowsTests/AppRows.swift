import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// Everything that an app has in the database at one moment, table by table.
struct AppRows: Equatable {
    struct Table: Equatable {
        let count: Int64
        /// Over the whole rows, so that an update shows as well.
        let digest: String
    }

    let tables: [String: Table]

    /// The tables in which something is different.
    func changed(since earlier: AppRows) -> Set<String> {
        Set(tables.keys.filter { tables[$0] != earlier.tables[$0] })
    }

    /// How many rows a table has more than before.
    func added(to table: String, since earlier: AppRows) -> Int64 {
        (tables[table]?.count ?? 0) - (earlier.tables[table]?.count ?? 0)
    }
}

/// An audit event as a test looks at it.
struct RecordedEvent: Equatable {
    let id: AuditEventID
    let kind: String
    let actor: String
    let reason: String?
    let userID: UserID?
    let clientID: ClientID?
    let sessionID: SessionID?
    let flowID: FlowID?
    let ip: String?
    let at: Instant
}

extension TestFlows {
    /// Everything that the app has now: every table that its role may read, also those that come later.
    func rows() async throws -> AppRows {
        let names = try await read(
            """
            select c.relname::text as name
              from pg_class as c
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
               and has_table_privilege(c.oid, 'select')
            """
        ) { try $0.get("name", as: String.self) }
        let counts = names.map { name in
            """
            select '\(name)' as name, count(*) as count, coalesce(md5(string_agg(t::text, ' ' order by t::text)), '')
                   as digest
              from \(name) as t
            """
        }
        let tables = try await read(.trusted(counts.joined(separator: " union all "))) { row in
            (
                try row.get("name", as: String.self),
                AppRows.Table(count: try row.get("count"), digest: try row.get("digest"))
            )
        }
        return AppRows(tables: Dictionary(uniqueKeysWithValues: tables))
    }

    /// What the app has recorded, oldest first.
    func events() async throws -> [RecordedEvent] {
        try await read(
            """
            select id, kind, actor_kind, reason, user_id, client_id, session_id, flow_id, ip, created_at
              from audit_events where app_id = \(app.id) order by transaction_id, id
            """
        ) { row in
            RecordedEvent(
                id: try row.get("id"), kind: try row.get("kind"), actor: try row.get("actor_kind"),
                reason: try row.get("reason"), userID: try row.get("user_id"), clientID: try row.get("client_id"),
                sessionID: try row.get("session_id"), flowID: try row.get("flow_id"), ip: try row.get("ip"),
                at: try row.get("created_at"))
        }
    }

    /// Reads rows within the app's scope.
    func read<Output>(_ statement: SQL, _ decode: @escaping (PostgresRow) throws -> Output) async throws -> [Output] {
        try await database.batch(in: scope) { $0.read(statement) { try $0.map(decode) } }
    }

    /// Runs a statement within the app's scope, as somebody else's request would.
    func write(_ statement: SQL) async throws {
        try await database.batch(in: scope) { $0.add(statement) }
    }

    /// Runs a call that is refused, and expects one audit event of it and nothing else, but in the tables named.
    ///
    /// - Parameters:
    ///   - kind: What the event says.
    ///   - reason: Why, as the event says.
    ///   - others: Tables in which a refused try may leave its count.
    ///   - location: Where the expectation stands.
    ///   - call: The call.
    /// - Returns: The event.
    /// - Throws: What the call throws.
    @discardableResult
    func expectRefusal(
        _ kind: AuditEvent.Kind, _ reason: String, alsoChanging others: Set<String> = [],
        sourceLocation location: SourceLocation = #_sourceLocation, _ call: () async throws -> Void
    ) async throws -> RecordedEvent? {
        let (before, known) = (try await rows(), Set(try await events().map(\.id)))
        try await call()
        let (after, new) = (try await rows(), try await events().filter { !known.contains($0.id) })
        #expect(after.changed(since: before) == others.union(["audit_events"]), sourceLocation: location)
        #expect(new.map(\.kind) == [kind.rawValue], sourceLocation: location)
        let event = try #require(new.first, sourceLocation: location)
        #expect(event.reason == reason, sourceLocation: location)
        #expect(event.actor == "anyone", sourceLocation: location)
        #expect(event.ip == Self.origin.ip, sourceLocation: location)
        #expect(event.at == clock.now, sourceLocation: location)
        return event
    }

    /// Deactivates a user, as an operator will.
    func deactivate(_ user: UserID) async throws {
        try await write(
            """
            update users set state = 'deactivated', deactivated_at = \(clock.now), auth_epoch = auth_epoch + 1
             where app_id = \(app.id) and id = \(user)
            """)
    }
}

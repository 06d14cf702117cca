import FoundationEssentials
package import GatepostModel
import Postgres

/// An app as its row says.
package struct AppRecord: Sendable {
    package let scope: AppScope
    package let name: String
    /// Since when every route of the app refuses; nil while it is active.
    package let suspendedAt: Instant?
    package let createdAt: Instant

    /// Whether an operator or an admin has suspended it.
    package var isSuspended: Bool { suspendedAt != nil }

    init(_ row: PostgresRow) throws {
        let settings = try JSONDecoder().decode(AppSettings.self, from: Data(row.get("settings", as: String.self).utf8))
        scope = AppScope(appID: try row.get("id"), settings: settings)
        name = try row.get("name")
        suspendedAt = try row.get("suspended_at")
        createdAt = try row.get("created_at")
    }
}

extension Database {
    /// Resolves an app; nil if there is none.
    ///
    /// An app that was found is remembered for a second, which bounds how late a node sees that it was
    /// suspended; that there is none is never remembered.
    package func app(_ id: AppID) async throws -> AppRecord? {
        if let known = scopes.app(id) { return known }
        let unresolved = AppScope(appID: id, settings: AppSettings())
        let found = try await batch(in: unresolved) { $0.app() }
        if let found { scopes.remember(found) }
        return found
    }

    /// Forgets what is remembered of an app, because this node has just changed it.
    package func forget(_ id: AppID) {
        scopes.forget(id)
    }

    /// The scope of an app that is known to exist, such as a message's; nil if it does not.
    package func scope(of id: AppID) async throws -> AppScope? {
        try await app(id)?.scope
    }

    /// Creates an app, with whatever else the caller writes in the same transaction.
    ///
    /// The row is written within its own scope: no role may write the apps of others.
    package func createApp(
        _ id: AppID, named name: String, settings: AppSettings, at now: Instant,
        and rest: (inout AppBatch) -> Void
    ) async throws {
        let json = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
        try await batch(in: AppScope(appID: id, settings: settings)) { batch in
            batch.add(
                """
                insert into apps (id, name, state, settings, created_at)
                values (\(id), \(name), 'active', \(json), \(now))
                """)
            rest(&batch)
        }
    }

    /// Apps, oldest first.
    ///
    /// - Parameters:
    ///   - only: Those of these ids; nil for all.
    ///   - cursor: Where the page before ended.
    ///   - limit: How many at most.
    /// - Returns: The apps.
    /// - Throws: `PostgresError`.
    package func apps(
        only: [AppID]? = nil, after cursor: PageCursor? = nil, limit: Int = 1000
    ) async throws -> [AppRecord] {
        let listed: SQL = only.map { "id = any (\($0))" } ?? "true"
        let further: SQL = cursor.map { "and (created_at, id) > (\($0.at), \($0.id))" } ?? ""
        return try await system { batch in
            batch.read(
                """
                select id, name, settings, created_at, suspended_at
                  from apps
                 where \(listed) \(further)
                 order by created_at, id
                 limit \(limit)
                """
            ) { try $0.map(AppRecord.init) }
        }
    }
}

extension AppTransaction {
    /// Creates an app within a transaction of another one, with whatever else belongs to it.
    ///
    /// For the moment of these statements the transaction is in the new app's scope: the row can be written in no
    /// other, and the claim of the caller's idempotency key stands in the outer one.
    package func createApp(
        _ id: AppID, named name: String, settings: AppSettings = AppSettings(), at now: Instant,
        and rest: (inout AppBatch) -> Void
    ) async throws {
        let json = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
        try await within(AppScope(appID: id, settings: settings)) { inner in
            try await inner.batch { batch in
                batch.add(
                    """
                    insert into apps (id, name, state, settings, created_at)
                    values (\(id), \(name), 'active', \(json), \(now))
                    """)
                rest(&batch)
            }
        }
    }
}

extension AppTransaction {
    /// Sets those of the app's settings that are given; every other one stays.
    ///
    /// A node that remembers the app sees it within a second.
    package func changeSettings(_ change: AppSettings) async throws {
        let json = String(decoding: try JSONEncoder().encode(change), as: UTF8.self)
        _ = try await query(
            "update apps set settings = settings || \(json)::text::jsonb where id = \(scope.appID)")
    }
}

extension AppTransaction {
    /// Locks the scope's own row until the end, and reads it.
    package func lockApp() async throws -> AppRecord? {
        let rows = try await query(
            "select id, name, settings, created_at, suspended_at from apps where id = \(scope.appID) for update")
        return try rows.first.map(AppRecord.init)
    }

    /// Changes the app's name and settings, and reads what it is then.
    ///
    /// - Parameters:
    ///   - name: The new name; nil keeps the old one.
    ///   - settings: Those that are given are set; every other one stays.
    ///   - cleared: Those that go back to their defaults, by their names in JSON.
    /// - Returns: The app; nil if there is none.
    /// - Throws: `PostgresError`.
    package func changeApp(
        name: String?, settings: AppSettings, cleared: [String]
    ) async throws -> AppRecord? {
        let json = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
        let rows = try await query(
            """
            update apps set name = coalesce(\(name), name),
                            settings = (settings || \(json)::text::jsonb) - \(cleared)::text[]
             where id = \(scope.appID)
            returning id, name, settings, created_at, suspended_at
            """)
        return try rows.first.map(AppRecord.init)
    }

    /// Suspends the app, or lets it go on; what is so already stays as it is.
    ///
    /// - Returns: Whether this changed anything.
    /// - Throws: `PostgresError`.
    package func setSuspended(_ isSuspended: Bool, at now: Instant) async throws -> Bool {
        let change: SQL =
            isSuspended
            ? "set state = 'suspended', suspended_at = \(now)" : "set state = 'active', suspended_at = null"
        let before = isSuspended ? "active" : "suspended"
        let changed = try await query("update apps \(change) where id = \(scope.appID) and state = \(before)")
        return changed.affectedCount == 1
    }
}

extension AppBatch {
    /// The scope's own row.
    mutating func app() -> BatchReading<AppRecord?> {
        read(
            "select id, name, settings, created_at, suspended_at from apps where id = \(scope.appID)"
        ) { try $0.first.map(AppRecord.init) }
    }
}

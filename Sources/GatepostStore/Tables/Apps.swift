import FoundationEssentials
package import GatepostModel
import Postgres

/// An app as its row says.
package struct AppRecord: Sendable {
    package let scope: AppScope
    package let name: String
    package let isSuspended: Bool
    package let createdAt: Instant

    init(_ row: PostgresRow) throws {
        let settings = try JSONDecoder().decode(AppSettings.self, from: Data(row.get("settings", as: String.self).utf8))
        scope = AppScope(appID: try row.get("id"), settings: settings)
        name = try row.get("name")
        isSuspended = try row.get("state", as: String.self) == "suspended"
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
                select id, name, state, settings, created_at
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

extension AppBatch {
    /// The scope's own row.
    mutating func app() -> BatchReading<AppRecord?> {
        read(
            "select id, name, state, settings, created_at from apps where id = \(scope.appID)"
        ) { try $0.first.map(AppRecord.init) }
    }
}

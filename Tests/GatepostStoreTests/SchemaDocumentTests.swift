import Foundation
import GatepostDev
import GatepostStore
import Postgres
import Testing

/// docs/schema.sql is what the migrations add up to: a reviewer sees the schema and not a pile of alterations.
@Suite("Schema document")
struct SchemaDocumentTests {
    private static let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/schema.sql")

    @Test func `the document is the schema of a migrated database`() async throws {
        let server = try await LocalPostgres.temporary()
        let url = server.url(database: "postgres")
        let pool = PostgresPool(PostgresConfiguration(connectionString: url))
        _ = try await Migrator(pool: pool).migrate(loginRole: LocalPostgres.superuser)
        await pool.shutdown()
        let dump = try await server.schema(of: "postgres")
        await server.stop()
        // To write it anew after a migration: GATEPOST_TEST_WRITE_SCHEMA=1 swift test --filter SchemaDocument.
        if ProcessInfo.processInfo.environment["GATEPOST_TEST_WRITE_SCHEMA"] != nil {
            try dump.write(to: Self.file, atomically: true, encoding: .utf8)
        }
        let document = try String(contentsOf: Self.file, encoding: .utf8)
        #expect(document == dump, "docs/schema.sql differs from the migrations; see the comment in this test")
    }
}

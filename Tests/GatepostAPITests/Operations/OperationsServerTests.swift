import Curl
import GatepostAPI
import GatepostModel
import GatepostStore
import GatepostTelemetry
import Postgres
import TestSupport
import Testing

@Suite("Operations server", .ownDatabase)
struct OperationsServerTests {
    /// A running server, and who knows whether it is ready.
    private struct Running {
        let readiness: Readiness
        let url: String
        let routes: [String]
        let client: HTTPClient

        func get(_ path: String) async throws -> HTTPResponse {
            try await client.send(HTTPRequest("GET", url + path))
        }
    }

    private func running(_ body: (Running) async throws -> Void) async throws {
        let database = Database(pool: try await TestDatabase.current.pool, deadline: .seconds(1))
        let readiness = try Readiness(database: database)
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let server = OperationsServer(
            host: "127.0.0.1", port: 0, readiness: readiness, metrics: { "gatepost_database_up 1\n" },
            logger: LogLines().logger, onListening: { bound.yield($0) })
        let serving = Task {
            defer { bound.finish() }
            try await server.run()
        }
        let port = try #require(await ports.first { _ in true })
        let client = try HTTPClient(.init { _ in true })
        let running = Running(
            readiness: readiness, url: "http://127.0.0.1:\(port)", routes: server.routes, client: client)
        let result: Result<Void, any Error>
        do { result = .success(try await body(running)) } catch { result = .failure(error) }
        await client.shutdown()
        serving.cancel()
        _ = await serving.result
        try result.get()
    }

    @Test func `it has three routes and no more`() async throws {
        try await running { server in
            let reads = server.routes.filter { $0.hasPrefix("GET ") }
            #expect(reads == ["GET /health/live", "GET /health/ready", "GET /metrics"])
            #expect(server.routes.allSatisfy { $0.hasPrefix("GET ") || $0.hasPrefix("HEAD ") })
            let page = try await server.get("/metrics")
            #expect(page.text == "gatepost_database_up 1\n")
            #expect(page.header("Content-Type") == MetricRegistry.contentType)
            #expect(page.header("Cache-Control") == "no-store")
            #expect(try await server.get("/nothing").problem == .notFound)
        }
    }

    @Test func `it is ready while the database answers, and live whatever it does`() async throws {
        try await running { server in
            let ready = try await server.get("/health/ready")
            #expect(ready.field("status") == "ready")
        }
        try await running { server in
            try await TestDatabase.current.whileDown {
                let refused = try await server.get("/health/ready")
                #expect(refused.problem == .unavailable && refused.header("Retry-After") == "1")
                #expect(refused.field("detail") == "The database does not answer.")
                #expect(try await server.get("/health/live").status == 200)
                #expect(try await server.get("/metrics").status == 200)
            }
        }
    }

    @Test func `once it is to stop it is not ready, however well the database is`() async throws {
        try await running { server in
            #expect(try await server.get("/health/ready").status == 200)
            await server.readiness.stop()
            let refused = try await server.get("/health/ready")
            #expect(refused.status == 503 && refused.field("detail") == "The process is shutting down.")
            #expect(try await server.get("/health/live").status == 200)
        }
    }

    @Test func `a schema that lacks a migration is not ready`() async throws {
        let superuser = try await TestDatabase.current.superuserPool()
        try await superuser.batch(
            ["delete from schema_migrations where number = 1"], on: .exclusive, deadline: .seconds(10))
        try await running { server in
            let refused = try await server.get("/health/ready")
            #expect(refused.status == 503 && refused.field("detail")?.contains("gatepost migrate") == true)
        }
    }
}

import Curl
package import GatepostAPI
package import GatepostFlows
package import GatepostModel
import GatepostStore
package import GatepostTelemetry
import Logging
package import Passwords

/// The API on a port of its own, with the real flows, for one app; spoken to over loopback.
package struct TestServer: Sendable {
    /// A password that the policy takes.
    package static let password = "seven lanterns over quiet water"

    /// The flows behind the routes, for what a test does or sees without HTTP.
    package let flows: TestFlows
    /// `http://127.0.0.1:port`.
    package let url: String
    /// The lines that the server has logged.
    package let logs: LogLines
    /// What the server counts.
    package let metrics: MetricRegistry
    /// The server's routes, `GET /health/live`.
    package let routes: [String]
    /// Those of the admin API, with their permissions.
    package let adminRoutes: [AdminRoute]
    let client: HTTPClient

    /// The app that requests are for, unless they say otherwise.
    package var app: TestApp { flows.app }

    /// Starts a server, runs `body` with it and stops it whatever happens.
    ///
    /// - Parameters:
    ///   - hasher: What hashes passwords; by default the one that tests share.
    ///   - devMails: The development mail catcher, if its pages are to exist.
    ///   - deadline: How long the server waits for the database where it resolves an app.
    ///   - baseURL: Where Gatepost says it is reached.
    ///   - trustedProxies: Networks that are believed in whom they heard from.
    ///   - forwardingField: The field in which they say it.
    ///   - flows: The flows to serve, where a test has several servers for one app; by default those of a new app.
    ///   - providers: The way to identity providers; by default there is none.
    ///   - body: The test.
    /// - Returns: What the body returned.
    /// - Throws: What the body threw, or why the server did not start.
    package static func running<Output>(
        hasher: PasswordHasher = TestFlows.hasher, devMails: DevMails? = nil, deadline: Duration = .seconds(10),
        baseURL: String = TestFlows.baseURL, trustedProxies: [String] = [],
        forwardingField: ForwardingField = .xForwardedFor, flows: TestFlows? = nil, providers: ProviderPort? = nil,
        _ body: (TestServer) async throws -> Output
    ) async throws -> Output {
        let flows = if let flows { flows } else { try await TestFlows.make(hasher: hasher, providers: providers) }
        // Its own cache of apps, so that a test can change the app before the server has seen it.
        let pool = try await TestDatabase.current.pool
        let database = Database(pool: pool, deadline: deadline)
        let client = try HTTPClient(.init { _ in true })
        let (logs, metrics) = (LogLines(), MetricRegistry())
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let server = try APIServer(
            database: database, flows: flows.flows, keys: flows.keys, baseURL: baseURL, host: "127.0.0.1", port: 0,
            trustedProxies: trustedProxies.compactMap(AddressRange.init), forwardingField: forwardingField,
            devMails: devMails,
            observation: Observation(
                metrics: metrics,
                readiness: try Readiness(database: Database(pool: pool, deadline: min(deadline, Readiness.deadline)))),
            logger: logs.logger, onListening: { bound.yield($0) })
        let serving = Task {
            defer { bound.finish() }
            try await server.run()
        }
        guard let port = await ports.first(where: { _ in true }) else {
            try await serving.value
            throw TestAppMissing()
        }
        let running = TestServer(
            flows: flows, url: "http://127.0.0.1:\(port)", logs: logs, metrics: metrics, routes: server.routes,
            adminRoutes: server.adminRoutes, client: client)
        let result: Result<Output, any Error>
        do { result = .success(try await body(running)) } catch { result = .failure(error) }
        await client.shutdown()
        serving.cancel()
        _ = await serving.result
        return try result.get()
    }

    /// Another app in the same database, with a client and a key of its own.
    package func otherApp() async throws -> TestApp {
        try await TestFlows.make(clock: app.clock).app
    }
}

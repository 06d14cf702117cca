import GatepostModel
import GatepostTelemetry
import HTTPTypes
import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle

/// Health and metrics, on an address of their own: what they show is for whoever runs the program.
///
/// Put where everybody is, `/metrics` would tell how many sign in and how long a password takes. It stops last, so that
/// a process that shuts down can say so.
package struct OperationsServer: Service {
    /// Open connections: a scraper, a balancer and somebody who looks.
    private static let connectionsMax = 100

    private let application: Application<RouterResponder<RootRequestContext>>
    /// Every route, sorted; HEAD goes with GET.
    package let routes: [String]

    /// Puts the server together; nothing is opened before `run`.
    ///
    /// - Parameters:
    ///   - host: The address to listen on.
    ///   - port: The port to listen on; 0 takes any.
    ///   - readiness: Whether the process can do its work.
    ///   - metrics: What `/metrics` answers.
    ///   - logger: Where it says what went wrong inside.
    ///   - onListening: Told the bound port once connections are accepted.
    package init(
        host: String, port: Int, readiness: Readiness, metrics: @escaping @Sendable () async -> String, logger: Logger,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        let router = Router(context: RootRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: AnswerHeaders(isHTTPS: false))
        router.add(middleware: ProblemReporter(form: .document, logger: logger))
        router.addRoutes(HealthRoutes(readiness: readiness).endpoints)
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: MetricRegistry.contentType],
                body: .init(byteBuffer: ByteBuffer(string: await metrics())))
        }
        routes = router.routes.map { "\($0.method.rawValue) \($0.path)" }.sorted()
        router.refuseOtherMethods()
        application = Application(
            router: router, server: .http1(configuration: APIServer.connection),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port), backlog: ServerLimits.backlog,
                availableConnectionsDelegate: .maximum(Self.connectionsMax, logger: logger)),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) },
            logger: logger)
    }

    /// Serves until it is cancelled or told to shut down gracefully.
    package func run() async throws {
        try await application.run()
    }
}

import CoreMetrics
import GatepostAPI
import GatepostModel
import GatepostStore
import GatepostTelemetry
import GatepostWorkers
import NIOCore
import Postgres
import ServiceLifecycle

extension Wiring {
    /// Services with health and metrics around them.
    ///
    /// A group stops its services from the last to the first: so the process says first that it is not ready, and
    /// answers until everything else has ended.
    func watched(_ services: [any Service]) throws -> [any Service] {
        let notice = ShutdownNotice(readiness: readiness)
        guard let address = configuration.operationsListen else { return services + [notice] }
        return [try operations(at: address)] + services + [notice]
    }

    private func operations(at address: ListenAddress) throws -> OperationsService {
        // A scrape has a limit of its own, ten seconds as a rule.
        let database = Database(pool: pool, deadline: .seconds(3))
        let reader = InstallationReader(
            database: database, catalog: try JobCatalog(folder: configuration.jobsFolder), clock: clock)
        let server = OperationsServer(
            host: address.host, port: address.port, readiness: readiness,
            metrics: { [metrics, clock] in
                let age = MetricReading(.clockAge, is: Double(clock.sampleAge.microseconds) / 1_000_000)
                return metrics.text(with: await reader.readings() + [age])
            }, logger: logger,
            onListening: { port in Terminal.say("health and metrics at http://\(address.host):\(port)") })
        return OperationsService(server: server, address: address)
    }
}

/// Health and metrics, and what to do where they cannot be bound.
struct OperationsService: Service {
    let server: OperationsServer
    let address: ListenAddress

    func run() async throws {
        do {
            try await server.run()
        } catch let error as IOError where UnusableAddress.codes.contains(error.errnoCode) {
            throw UnusableAddress(
                address: address, code: error.errnoCode, remedy: Setting.operationsListen.environmentName)
        }
    }
}

/// Takes the process off the list of those that are sent work, as soon as it is asked to stop.
struct ShutdownNotice: Service {
    let readiness: Readiness

    func run() async throws {
        // Cancelled where the group fails; then nobody asks any more.
        try? await gracefulShutdown()
        await readiness.stop()
    }
}

extension MetricRegistry {
    /// Measures how long work waits for a connection.
    func databaseWaits() -> @Sendable (PostgresPool.Side, Duration) -> Void {
        func timer(_ pool: String) -> CoreMetrics.Timer {
            .init(label: MetricFamily.databaseWait.name, dimensions: [("pool", pool)], factory: self)
        }
        let (shared, exclusive) = (timer("shared"), timer("exclusive"))
        return { side, wait in
            (side == .shared ? shared : exclusive).recordNanoseconds(wait.microseconds * 1000)
        }
    }
}

import Foundation
import GatepostStore
import ServiceLifecycle
import UnixSignals

/// Keeps the program's clock at the database's time.
struct ClockService: Service {
    let clock: DatabaseClock

    func run() async throws {
        await cancelWhenGracefulShutdown { await clock.keepSampling() }
    }
}

extension Wiring {
    /// Runs services until SIGTERM or SIGINT, or until one of them fails.
    func run(_ services: [any Service]) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger))
        try await group.run()
    }
}

/// The environment that the program was started in.
func environment() -> [String: String] {
    ProcessInfo.processInfo.environment
}

import Foundation
import GatepostModel
import GatepostStore
import NIOCore
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
    /// Runs services until SIGTERM or SIGINT, or until one of them fails; health and metrics as long as any of them.
    func run(_ services: [any Service]) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: try watched(services).map { .init(service: $0) },
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger))
        do {
            try await group.run()
        } catch let error as IOError where UnusableAddress.codes.contains(error.errnoCode) {
            throw UnusableAddress(address: configuration.listen, code: error.errnoCode)
        }
    }
}

/// The server could not be bound to its address: what the system said, in an operator's terms.
struct UnusableAddress: Error, CustomStringConvertible {
    static let codes: Set<Int32> = [EADDRINUSE, EADDRNOTAVAIL, EACCES]

    let address: ListenAddress
    let code: Int32
    /// What chooses another one.
    var remedy = "GATEPOST_LISTEN, or gatepost dev --port"

    var description: String {
        let reason =
            switch code {
            case EADDRINUSE: "another program listens there"
            case EADDRNOTAVAIL: "it is no address of this machine"
            default: "ports below 1024 are for the system"
            }
        return "cannot listen on \(address.host):\(address.port): \(reason); "
            + "choose another by \(remedy)"
    }
}

/// The environment that the program was started in.
func environment() -> [String: String] {
    ProcessInfo.processInfo.environment
}

import GatepostDelivery
import ServiceLifecycle

/// Closes the HTTP transport once every service that was started after it has ended.
struct HTTPTransportService: Service {
    let transport: HTTPTransport

    func run() async throws {
        // Cancelled where the group fails; the transport is closed then, too.
        try? await gracefulShutdown()
        await transport.shutdown()
    }
}

import GatepostDelivery
import GatepostModel
import GatepostOutbox
import GatepostWorkers

extension Wiring {
    /// What posts to endpoints.
    ///
    /// Plain HTTP only where private destinations are named, as in dev: then a receiver on loopback has no certificate.
    func httpTransport() throws -> HTTPTransport {
        let ranges = try configuration.privateDestinations.map { text in
            guard let range = AddressRange(text) else {
                throw UnusableSetting(.privateDestinations, "has a network that is not written as CIDR")
            }
            return range
        }
        return try HTTPTransport(
            guard: AddressGuard(privateAllowed: ranges), caBundlePath: configuration.caBundlePath,
            allowsPlainHTTP: !ranges.isEmpty)
    }

    /// The handlers of webhooks.
    func webhookHandlers(transport: HTTPTransport, keys: KeyRing) -> [MessageKind: any Handler] {
        [
            WebhookNotice.kind: WebhookHandler(
                database: database, clock: clock, random: random, keys: keys, transport: transport,
                logger: logger)
        ]
    }
}

import GatepostModel
import Synchronization

/// How many notices are under way to each endpoint, so that a slow one takes no more than its share of the slots.
///
/// Without it, an endpoint that lets every notice hang for its twenty seconds holds all of a worker's slots, and the
/// notices of every other app wait (SECURITY.md, W4).
final class EndpointSlots: Sendable {
    /// Notices under way to one endpoint, in one worker.
    static let perEndpointMax = 4

    private let counts = Mutex<[WebhookEndpointID: Int]>([:])

    init() {}

    /// Takes a slot; false if the endpoint has all that it may have.
    func take(_ endpoint: WebhookEndpointID) -> Bool {
        counts.withLock { counts in
            guard counts[endpoint, default: 0] < Self.perEndpointMax else { return false }
            counts[endpoint, default: 0] += 1
            return true
        }
    }

    /// Gives a slot back.
    func free(_ endpoint: WebhookEndpointID) {
        counts.withLock { counts in
            let count = counts[endpoint, default: 1] - 1
            counts[endpoint] = count > 0 ? count : nil
        }
    }
}

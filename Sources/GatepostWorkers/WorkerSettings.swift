import GatepostModel
import GatepostOutbox

/// How a worker paces itself.
///
/// Every setting has a default and bounds; what lies outside is taken as the nearer bound.
package struct WorkerSettings: Sendable {
    /// Deliveries at one time; default 16, from 4 to `DeliverySlots.totalMax`.
    package let deliverySlots: Int
    /// How long a claimed message is this worker's; default 90 s, from one and a half delivery deadlines to 1 h.
    ///
    /// Also how long a message waits that a dead worker had claimed.
    package let lease: Duration
    /// How long one delivery may take; default 30 s, from 1 s to 5 min.
    ///
    /// A delivery that is cut off after its final dot has an unknown outcome and is repeated, so it is generous.
    package let deliveryDeadline: Duration
    /// The pause between two looks while there is work; default 25 ms, from 1 ms to 1 s.
    package let busyPause: Duration
    /// The longest pause between two looks while there is none; default 100 ms, up to 10 s.
    package let idlePause: Duration
    /// How long a shutdown waits for deliveries that run; default 20 s, from 0 to 5 min.
    package let shutdownGrace: Duration
    /// The pause between two full looks; default 10 s, from 1 s to 10 min.
    ///
    /// Longer where a look takes so long that it would be more than a fiftieth of the time.
    package let fullLookPause: Duration

    /// The share of time that full looks may take, as the multiple of a look's length that follows it as a pause.
    static let fullLookPauseFactor = 49
    /// Settlements that may wait for the database; at this many nothing more is claimed.
    static let unsettledMax = 2000

    /// Takes settings, each brought within its bounds.
    package init(
        deliverySlots: Int = 16, lease: Duration = .seconds(90), deliveryDeadline: Duration = .seconds(30),
        busyPause: Duration = .milliseconds(25), idlePause: Duration = .milliseconds(100),
        shutdownGrace: Duration = .seconds(20), fullLookPause: Duration = .seconds(10)
    ) {
        self.deliverySlots = deliverySlots.clamped(to: 4...DeliverySlots.totalMax)
        self.deliveryDeadline = deliveryDeadline.clamped(to: .seconds(1)...(.minutes(5)))
        self.lease = lease.clamped(to: self.deliveryDeadline * 3 / 2...(.hours(1)))
        self.busyPause = busyPause.clamped(to: .milliseconds(1)...(.seconds(1)))
        self.idlePause = idlePause.clamped(to: self.busyPause...(.seconds(10)))
        self.shutdownGrace = shutdownGrace.clamped(to: .zero...(.minutes(5)))
        self.fullLookPause = fullLookPause.clamped(to: .seconds(1)...(.minutes(10)))
    }
}

extension Comparable {
    fileprivate func clamped(to bounds: ClosedRange<Self>) -> Self {
        min(max(self, bounds.lowerBound), bounds.upperBound)
    }
}

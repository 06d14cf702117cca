package import GatepostOutbox

/// How many deliveries run at one time, and how many of them are kept for each lane.
///
/// Without a reserve, a thousand slow bulk mails hold every slot when the sign-in mail comes.
package struct DeliverySlots: Sendable {
    /// The most slots a worker may have: each can be a connection and a thread.
    package static let totalMax = 1000

    /// Slots in all.
    package let total: Int
    /// Slots that only this lane uses.
    private let reserved: [Lane: Int]
    private var used: [Lane: Int] = [:]

    /// Divides slots: three in eight are kept for interactive messages, an eighth for notices, one for bulk.
    ///
    /// - Parameter total: From 4 to `totalMax`; what lies outside is taken as the nearer bound.
    package init(total: Int) {
        let total = min(max(total, 4), Self.totalMax)
        self.total = total
        reserved = [.interactive: max(1, total * 3 / 8), .notice: max(1, total / 8), .bulk: 1]
    }

    /// Deliveries that run now.
    package var usedCount: Int { used.values.reduce(0, +) }

    /// Slots that a lane may take now: what is free, less what other lanes have in reserve and do not use.
    package func free(for lane: Lane) -> Int {
        let kept = Lane.allCases.filter { $0 != lane }.reduce(0) { kept, other in
            kept + max(0, reserved[other, default: 0] - used[other, default: 0])
        }
        return max(0, total - usedCount - kept)
    }

    /// Takes slots.
    package mutating func take(_ count: Int = 1, for lane: Lane) {
        used[lane, default: 0] += count
    }

    /// Gives one slot back.
    package mutating func free(_ lane: Lane) {
        used[lane, default: 0] -= 1
    }
}

import GatepostModel
package import GatepostOutbox

extension OutboxWorker {
    /// The most rounds of one drain; a message that is handed back again and again would keep it busy for ever.
    static let drainRoundsMax = 10_000

    /// Delivers and settles, in the calling task, until nothing is due at the clock's present time.
    ///
    /// For tests and for an operator who wants to see it happen; a service runs `run`.
    ///
    /// - Returns: How many claims were made.
    @discardableResult
    package func drain() async throws -> Int {
        var claimedCount = 0
        try await claimer.lookEverywhere(at: clock.now)
        for _ in 0..<Self.drainRoundsMax {
            let claimed = try await claim()
            for message in claimed {
                if let settlement = await deliverTraced(message) { settler.add(settlement) }
            }
            try await settle()
            if claimed.isEmpty { break }
            claimedCount += claimed.count
        }
        return claimedCount
    }

    /// Looks for what is due and claims as much as there are slots, the interactive lane first.
    package func claim() async throws -> [ClaimedMessage] {
        try await claimer.look(at: clock.now)
        var claimed: [ClaimedMessage] = []
        for lane in Lane.allCases {
            claimed += try await claimer.claim(lane, atMost: settings.deliverySlots - claimed.count, at: clock.now)
        }
        return claimed
    }

    /// Keeps what became of a delivery, to be settled.
    package func keep(_ settlement: Settlement?) {
        if let settlement { settler.add(settlement) }
    }

    /// Settles what is kept; if Postgres does not take it, throws and keeps it.
    package func settle() async throws {
        try await settler.flush()
    }
}

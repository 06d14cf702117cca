import GatepostModel
import GatepostOutbox
import GatepostStore

/// Finds what became ready and claims it, app by app.
///
/// It remembers how far it has looked, because a queue's index begins with dead rows that a held snapshot keeps: a
/// look starts where the last one ended, less a margin for transactions that commit late.
actor OutboxClaimer {
    /// How far the discovery looks back beyond the last look.
    static let discoveryMargin: Duration = .seconds(2)
    /// How far the promotion looks back beyond the last look.
    static let promotionMargin: Duration = .seconds(5)

    /// How often one look repeats what came back full; the rest is the next look's, so that claims go on meanwhile.
    static let repeatsMax = 20

    private let database: Database
    private let lease: Duration
    private var lists: [Lane: TurnList] = [:]
    private var discoveredTo: [Lane: Instant] = [:]
    private var promotedTo: Instant?
    /// By lane, so that a person's mail does not wait for the look at a flood.
    private let standings: GatheredReads<Lane, ClaimKey, ClaimStanding>

    init(database: Database, lease: Duration) {
        self.database = database
        self.lease = lease
        standings = GatheredReads { _, claims in try await database.system { $0.standing(claims) } }
    }

    /// Promotes what fell due and discovers what became ready since the last look, in one round trip.
    ///
    /// Repeated at once while a statement comes back full, up to a bound.
    func look(at now: Instant) async throws {
        var isFull = true
        for _ in 0..<Self.repeatsMax where isFull {
            let promotionFloor = (promotedTo ?? now) - Self.promotionMargin
            let floors = Lane.allCases.map { ($0, discoveredTo[$0] ?? now - Self.discoveryMargin) }
            let (promoted, discovered) = try await database.system { batch in
                batch.promoteDue(since: promotionFloor, at: now)
                    .and(.all(floors.map { batch.discover($0.0, since: $0.1, at: now) }))
            }
            isFull = promoted >= OutboxLimits.promotedRowsMax
            if !isFull { promotedTo = now }
            for ((lane, floor), found) in zip(floors, discovered) {
                lists[lane, default: TurnList()].add(found.turns)
                guard found.rowCount >= OutboxLimits.discoveredRowsMax, let last = found.lastReadyAt else {
                    discoveredTo[lane] = now - Self.discoveryMargin
                    continue
                }
                // Many rows of one instant, such as a redrive: the full look finds other apps at that very instant.
                discoveredTo[lane] = last > floor ? last : last + .microseconds(1)
                isFull = true
            }
        }
    }

    /// Promotes and discovers without a floor: what the looks missed.
    func lookEverywhere(at now: Instant) async throws {
        while true {
            let promoted = try await database.system { $0.promoteDue(since: nil, at: now) }
            if promoted < OutboxLimits.promotedRowsMax { break }
        }
        for lane in Lane.allCases {
            let turns = try await database.system { $0.lookForApps(lane) }
            lists[lane, default: TurnList()].add(turns)
        }
    }

    /// Claims up to so many messages of a lane, shared evenly among the apps at the head of its list.
    func claim(_ lane: Lane, atMost slots: Int, at now: Instant) async throws -> [ClaimedMessage] {
        guard slots > 0, let turns = lists[lane]?.take(min(slots, OutboxLimits.claimedAppsMax)), !turns.isEmpty else {
            return []
        }
        let rowsPerApp = slots / turns.count
        let leaseEnd = now + lease
        do {
            let claimed = try await database.system {
                $0.claim(lane, of: turns, rowsPerApp: rowsPerApp, leaseEnd: leaseEnd)
            }
            let readyTimes = Dictionary(grouping: claimed, by: \.app).mapValues { $0.map(\.readyAt) }
            lists[lane]?.note(turns, gave: readyTimes, of: rowsPerApp)
            return claimed
        } catch {
            lists[lane]?.add(turns)
            throw error
        }
    }

    /// Whether a claim still stands, at the moment its attempt is to start; nil if it is no longer this worker's.
    nonisolated func standing(of message: ClaimedMessage) async throws -> ClaimStanding? {
        try await standings.value(of: ClaimKey(message), in: message.lane)
    }
}

extension BatchReading {
    /// Reads several statements of one batch; there is at least one.
    fileprivate static func all<Element>(_ readings: [BatchReading<Element>]) -> BatchReading<[Element]>
    where Output == [Element] {
        let lists = readings.map { $0.map { [$0] } }
        guard let first = lists.first else { preconditionFailure("a batch reads at least one statement") }
        return lists.dropFirst().reduce(first) { $0.and($1).map { $0 + $1 } }
    }
}

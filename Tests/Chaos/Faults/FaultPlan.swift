import TestSupport

/// A harm that is done to a running installation.
struct Fault: Sendable, Equatable {
    /// What is done; how long it lasts is drawn with the fault.
    enum Kind: String, Sendable, CaseIterable {
        case killServer = "kill-server"
        case killWorker = "kill-worker"
        case killPooler = "kill-pooler"
        /// SIGKILL of the server's first process.
        case killPostgres = "kill-postgres"
        /// SIGKILL of one session's process, after which Postgres starts all of them anew.
        case killBackend = "kill-backend"
        /// What an administrator does to sessions, or a failover.
        case terminateBackends = "terminate-backends"
        case restartPostgres = "restart-postgres"
        case crashPostgres = "crash-postgres"
        case restartPooler = "restart-pooler"
        case stopServer = "stop-server"
        case stopWorker = "stop-worker"
        case stopPooler = "stop-pooler"
        case stopBackend = "stop-backend"
        case mail
        case webhook
        case clock
    }

    let kind: Kind
    /// Which of several: a worker, a way to misbehave, a session.
    let choice: Int
    /// How long it lasts where it does not end by itself.
    let seconds: Double
}

/// The faults of a round, which follow from its seed.
struct FaultPlan: Sendable {
    /// How long a process stands still: longer than a lease of this installation.
    static let stopSeconds = 30.0
    /// How often each kind comes in each hundred: drawn as cards from a deck, so that none comes far too often.
    private static let weights: [(Fault.Kind, Int)] = [
        (.killWorker, 17), (.killServer, 9), (.killPooler, 4), (.killPostgres, 2), (.killBackend, 4),
        (.terminateBackends, 12), (.restartPostgres, 2), (.crashPostgres, 2), (.restartPooler, 4), (.stopWorker, 4),
        (.stopServer, 1), (.stopPooler, 1), (.stopBackend, 1), (.mail, 15), (.webhook, 14), (.clock, 8),
    ]

    let seed: UInt64
    let faults: [Fault]

    /// Draws so many faults; `only` keeps those whose names begin so.
    init(seed: UInt64, count: Int, only: String? = nil) {
        self.seed = seed
        let random = SeededRandom(seed: seed)
        let deck = Self.weights.filter { only == nil || $0.0.rawValue.hasPrefix(only ?? "") }
            .flatMap { kind, weight in Array(repeating: kind, count: weight) }
        var cards: [Fault.Kind] = []
        faults = (0..<count).map { _ in
            if cards.isEmpty { cards = deck }
            let kind = cards.remove(at: random.number(below: cards.count))
            let (choice, tenths) = (random.number(below: 1000), random.number(below: 25))
            let isStop = kind.rawValue.hasPrefix("stop-")
            return Fault(
                kind: kind, choice: choice, seconds: isStop ? Self.stopSeconds : 0.5 + Double(tenths) / 10)
        }
    }
}

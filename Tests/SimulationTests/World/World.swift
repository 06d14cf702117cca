import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Logging
import Postgres
import TestSupport

/// Several apps, their people, admins and workers on one database, driven by one seed.
///
/// Everything happens one step after the other; what meets within a step (`race…`) meets in Postgres. Two sources of
/// chance, so that what the product draws does not change what is chosen next.
final class World {
    static let passwords = ["seven lamps on a grey harbour wall", "a heron walks behind the third mill"].map {
        Secret($0)
    }
    static let appCount = 3
    static let workerCount = 3
    /// How many people of an app the steps choose among: the newest ones.
    static let peopleInView = 12

    let seed: UInt64
    let clock = TestClock()
    let chance: SeededRandom
    let random: SeededRandom
    /// Where it looks at what has been written; the flows keep the one that they were given.
    var database: Database
    var superuser: PostgresPool
    var witness: Witness
    let apps: [SimulatedApp]
    let wire = Wire()
    let rotation: ForgetfulHandler
    let workers: [SimulatedWorker]
    let jobs: JobRunner
    let jobNames: [String]
    let keys: KeyRing
    var messages = MessageBook()
    var signUps: [FlowID: SignUpModel] = [:]
    var counts: [String: Int] = [:]
    var trace: Trace
    var breaches: [Breach] = []
    /// How far the witness has been read: breaches, messages owed, messages ended.
    var witnessed: [Int64] = [0, 0, 0]
    var stepNumber = 0

    /// Makes a world on the test's own database.
    init(seed: UInt64, on test: TestDatabase, keepsTrace: Bool = false) async throws {
        self.seed = seed
        chance = SeededRandom(seed: seed)
        random = SeededRandom(seed: seed ^ 0x5EED_0F_C0FFEE)
        (database, superuser) = (test.database, try await test.superuserPool())
        witness = Witness(superuser: superuser)
        try await witness.install()
        keys = try TestApp.testKeys()
        let cache = KeyCache(database: database, ring: keys, clock: clock)
        let parts = FlowParts(
            database: database, clock: clock, random: random, cache: cache, baseURL: TestFlows.baseURL,
            hasher: TestFlows.hasher)
        let tools = SimulatedApp.Tools(database: database, clock: clock, random: random, keys: keys)
        var apps: [SimulatedApp] = []
        for number in 0..<Self.appCount { apps.append(try await SimulatedApp.make(number, of: parts, tools)) }
        self.apps = apps
        rotation = ForgetfulHandler(
            SigningKeyRotateHandler(
                database: database, clock: clock,
                flow: SigningKeyFlow(clock: clock, random: random, keys: keys)))
        workers = (0..<Self.workerCount).map(SimulatedWorker.init)
        let catalog = try JobCatalog()
        jobNames = catalog.jobs.map(\.name)
        jobs = JobRunner(
            database: database, catalog: catalog, clock: clock, logger: Self.noLogger, pause: { _ in })
        trace = Trace(keepsAll: keepsTrace)
    }

    static var noLogger: Logger { Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() } }

    var now: Instant { clock.now }

    /// The kinds that a run has to have taken.
    var kinds: [String] {
        StepKind.allCases.filter { $0 != .runJob }.map(\.rawValue) + jobNames.map { "job \($0)" }
    }

    /// Takes so many steps, or fewer if a promise is broken.
    ///
    /// - Parameters:
    ///   - steps: How many.
    ///   - wholeEvery: After how many steps the whole database is checked; the end is checked in any case.
    /// - Throws: What Postgres says to a check.
    func run(_ steps: Int, wholeEvery: Int = 5000) async throws {
        for number in 1...max(steps, 1) {
            await step()
            if number % Witness.readEvery == 0 { try await readWitness() }
            if number % wholeEvery == 0 { try await checkWhole() }
            if !breaches.isEmpty { return }
        }
        try await readWitness()
        try await checkWhole()
    }

    /// One step: chosen by weight, again where the chosen one cannot happen now.
    func step() async {
        stepNumber += 1
        clock.advance(by: .microseconds(1))
        var kind = StepKind.millisecondsPass
        do {
            for _ in 0..<20 {
                kind = chooseKind()
                if let name = try await take(kind) {
                    counts[name, default: 0] += 1
                    return trace.add("\(stepNumber) \(name) at \(now)")
                }
            }
            _ = try await take(.millisecondsPass)
            counts[StepKind.millisecondsPass.rawValue, default: 0] += 1
            trace.add("\(stepNumber) nothing else could happen")
        } catch {
            trace.add("\(stepNumber) \(kind.rawValue) threw")
            breach(.noUnexpectedError, "\(kind.rawValue): \(error)")
        }
    }

    private static let weights = StepKind.allCases.map { ($0, $0.weight) }
    private static let weightSum = weights.reduce(0) { $0 + $1.1 }

    private func chooseKind() -> StepKind {
        var rest = chance.number(below: Self.weightSum)
        for (kind, weight) in Self.weights {
            rest -= weight
            if rest < 0 { return kind }
        }
        return .millisecondsPass
    }

    /// Ends what still runs, and the superuser's connections.
    func close() async {
        for worker in workers { await abandon(worker) }
        await superuser.shutdown()
    }

    func breach(_ promise: Promise, _ detail: String) {
        breaches.append(Breach(promise: promise, detail: "step \(stepNumber): \(detail)"))
    }

    /// A flow has answered otherwise than the model says.
    func differ(_ detail: String) {
        breach(.asTheModelSays, detail)
    }

    func chosen<Element>(_ list: [Element]) -> Element? {
        list.isEmpty ? nil : list[chance.number(below: list.count)]
    }

    func oneIn(_ count: Int) -> Bool { chance.number(below: count) == 0 }
}

import GatepostModel
import GatepostStore
import Synchronization
import TestSupport
import Testing

@Suite("Rate limits", .showsSeed)
struct RateLimitTests {
    let limit = RateLimit("test", tries: 3, per: .seconds(900))
    /// Nine o'clock is where a window of a quarter of an hour begins.
    let windowStart = TestClock.start

    private func spend(
        _ count: Int = 1, by app: TestApp, _ limit: RateLimit? = nil, for subject: String = "ada"
    ) async throws -> RateLimitVerdict {
        var verdict: RateLimitVerdict?
        for _ in 0..<count {
            verdict = try await app.database.batch(in: app.scope, durability: .asynchronous) {
                $0.spend(limit ?? self.limit, for: subject, at: app.clock.now)
            }
        }
        return try #require(verdict)
    }

    /// How long a try is refused; nil if it is allowed.
    private func wait(
        _ count: Int = 1, by app: TestApp, _ limit: RateLimit? = nil, for subject: String = "ada"
    ) async throws -> Duration? {
        let verdict = try await spend(count, by: app, limit, for: subject)
        return verdict.isAllowed ? nil : verdict.resetsAfter
    }

    @Test func `as many tries as the limit says are allowed, the next is not`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart))

        #expect(try await wait(3, by: app) == nil)
        #expect(try await wait(by: app) == .seconds(900))
    }

    @Test func `a refused try says to the microsecond when the window ends`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart))
        _ = try await spend(3, by: app)

        app.clock.set(windowStart + .seconds(900) - .microseconds(1))
        #expect(try await wait(by: app) == .microseconds(1))
        app.clock.set(windowStart + .seconds(900))
        #expect(try await wait(by: app) == nil)
    }

    @Test func `a window begins at its own multiple, not at the first try`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart - .microseconds(1)))

        #expect(try await wait(3, by: app) == nil)
        app.clock.set(windowStart)
        #expect(try await wait(3, by: app) == nil)
        #expect(try await wait(by: app) == .seconds(900))
    }

    @Test func `a refund gives one try back, within its window only`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart))
        _ = try await spend(3, by: app)

        try await app.database.batch(in: app.scope) { $0.refund(limit, for: "ada", at: windowStart + .seconds(900)) }
        #expect(try await wait(by: app) != nil)
        for _ in 0..<2 { try await app.database.batch(in: app.scope) { $0.refund(limit, for: "ada", at: windowStart) } }
        #expect(try await wait(by: app) == nil)
        #expect(try await wait(by: app) != nil)
    }

    @Test func `refunds never make more than the limit`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart))
        _ = try await spend(by: app)

        for _ in 0..<5 { try await app.database.batch(in: app.scope) { $0.refund(limit, for: "ada", at: windowStart) } }

        #expect(try await wait(3, by: app) == nil)
        #expect(try await wait(by: app) != nil)
    }

    @Test func `subjects, limits and apps are counted apart`() async throws {
        let (app, other) = (try await TestApp.make(), try await TestApp.make())
        #expect(try await wait(4, by: app) != nil)

        #expect(try await wait(by: app, for: "grace") == nil)
        #expect(try await wait(by: app, RateLimit("other", tries: 3, per: .seconds(900))) == nil)
        #expect(try await wait(by: other) == nil)
    }

    @Test func `of fifty racing tries exactly the limit is allowed`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart))
        let limit = RateLimit("test", tries: 20, per: .seconds(900))

        let verdicts = try await race(50) {
            try await app.database.batch(in: app.scope, durability: .asynchronous) {
                $0.spend(limit, for: "ada", at: app.clock.now)
            }
        }

        #expect(verdicts.count(where: \.isAllowed) == 20)
    }

    @Test func `a try stays counted although what it bounded was rolled back`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart))
        struct Failed: Error {}

        for _ in 0..<3 {
            _ = try await spend(by: app)
            await #expect(throws: Failed.self) {
                try await app.database.transaction(in: app.scope) { _ -> Void in throw Failed() }
            }
        }

        #expect(try await wait(by: app) != nil)
    }

    // MARK: Several budgets in one statement

    /// Spends several budgets at once.
    private func spend(_ budgets: RateBudgets, by app: TestApp) async throws -> RateLimitVerdict {
        try await app.database.batch(in: app.scope, durability: .asynchronous) {
            $0.spend(budgets, at: app.clock.now)
        }
    }

    private func budgets(from network: String) -> RateBudgets {
        RateBudgets(
            narrow: [RateBudget(RateLimit("narrow", tries: 2, per: .minutes(15)), for: network)],
            wide: [RateBudget(RateLimit("wide", tries: 3, per: .minutes(15)), for: "ada")])
    }

    @Test func `a try that a narrow budget refuses spends no wide one`() async throws {
        let app = try await TestApp.make()
        for _ in 0..<50 { _ = try await spend(budgets(from: "attacker"), by: app) }

        // Two of the wide budget's three are gone, and not fifty.
        #expect(try await spend(budgets(from: "elsewhere"), by: app).isAllowed)
        let refused = try await spend(budgets(from: "elsewhere"), by: app)
        #expect(!refused.isAllowed && refused.limit.name == "wide" && refused.remaining == 0)
    }

    @Test func `what is left is said of the narrow budget, unless a wide one refuses`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart + .minutes(5)))

        let verdict = try await spend(budgets(from: "here"), by: app)

        #expect(verdict.limit.name == "narrow" && verdict.remaining == 1 && verdict.resetsAfter == .minutes(10))
    }

    @Test func `racing tries at several budgets spend exactly what there is, in whatever order they name them`()
        async throws
    {
        let app = try await TestApp.make()
        let limits = (0..<6).map { RateLimit("limit \($0)", tries: Int32(20 + $0), per: .minutes(15)) }
        let tries = SharedCount()

        let verdicts = try await race(60) {
            let turn = tries.next()
            let narrow = limits.indices.prefix(3).map { RateBudget(limits[($0 + turn) % 3], for: "x") }
            let wide = limits.indices.prefix(3).map { RateBudget(limits[3 + ($0 + turn) % 3], for: "x") }
            return try await spend(RateBudgets(narrow: narrow, wide: wide), by: app)
        }

        #expect(verdicts.count(where: \.isAllowed) == 20)
    }

    @Test func `a streak is forgotten by a success or when it has been quiet, not by the clock`() async throws {
        let app = try await TestApp.make()
        let limit = RateLimit("streak", tries: 3, per: .days(30), memory: .streak)
        #expect(try await wait(2, by: app, limit) == nil)
        app.clock.advance(by: .days(29))
        #expect(try await wait(by: app, limit) == nil)
        app.clock.advance(by: .days(29))
        // A refused try prolongs nothing.
        #expect(try await wait(by: app, limit) == .days(1))
        app.clock.advance(by: .days(1))
        #expect(try await wait(3, by: app, limit) == nil)
        #expect(try await wait(by: app, limit) == .days(30))

        try await app.database.batch(in: app.scope) { $0.refund(limit, for: "ada", at: app.clock.now) }
        #expect(try await wait(3, by: app, limit) == nil)
        #expect(try await wait(by: app, limit) != nil)
    }
}

/// Counts across tasks.
private final class SharedCount: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}

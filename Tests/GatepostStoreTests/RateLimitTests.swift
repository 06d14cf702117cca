import GatepostModel
import GatepostStore
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
        var verdict = RateLimitVerdict.allowed
        for _ in 0..<count {
            verdict = try await app.database.batch(in: app.scope, durability: .asynchronous) {
                $0.spend(limit ?? self.limit, for: subject, at: app.clock.now)
            }
        }
        return verdict
    }

    @Test func `as many tries as the limit says are allowed, the next is not`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart))

        #expect(try await spend(3, by: app) == .allowed)
        #expect(try await spend(by: app) == .refused(retryAfter: .seconds(900)))
    }

    @Test func `a refused try says to the microsecond when the window ends`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart))
        _ = try await spend(3, by: app)

        app.clock.set(windowStart + .seconds(900) - .microseconds(1))
        #expect(try await spend(by: app) == .refused(retryAfter: .microseconds(1)))
        app.clock.set(windowStart + .seconds(900))
        #expect(try await spend(by: app) == .allowed)
    }

    @Test func `a window begins at its own multiple, not at the first try`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart - .microseconds(1)))

        #expect(try await spend(3, by: app) == .allowed)
        app.clock.set(windowStart)
        #expect(try await spend(3, by: app) == .allowed)
        #expect(try await spend(by: app) == .refused(retryAfter: .seconds(900)))
    }

    @Test func `a refund gives one try back, within its window only`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart))
        _ = try await spend(3, by: app)

        try await app.database.batch(in: app.scope) { $0.refund(limit, for: "ada", at: windowStart + .seconds(900)) }
        #expect(try await spend(by: app) != .allowed)
        for _ in 0..<2 { try await app.database.batch(in: app.scope) { $0.refund(limit, for: "ada", at: windowStart) } }
        #expect(try await spend(by: app) == .allowed)
        #expect(try await spend(by: app) != .allowed)
    }

    @Test func `refunds never make more than the limit`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart))
        _ = try await spend(by: app)

        for _ in 0..<5 { try await app.database.batch(in: app.scope) { $0.refund(limit, for: "ada", at: windowStart) } }

        #expect(try await spend(3, by: app) == .allowed)
        #expect(try await spend(by: app) != .allowed)
    }

    @Test func `subjects, limits and apps are counted apart`() async throws {
        let (app, other) = (try await TestApp.make(), try await TestApp.make())
        #expect(try await spend(4, by: app) != .allowed)

        #expect(try await spend(by: app, for: "grace") == .allowed)
        #expect(try await spend(by: app, RateLimit("other", tries: 3, per: .seconds(900))) == .allowed)
        #expect(try await spend(by: other) == .allowed)
    }

    @Test func `of fifty racing tries exactly the limit is allowed`() async throws {
        let app = try await TestApp.make(clock: TestClock(at: windowStart))
        let limit = RateLimit("test", tries: 20, per: .seconds(900))

        let verdicts = try await race(50) {
            try await app.database.batch(in: app.scope, durability: .asynchronous) {
                $0.spend(limit, for: "ada", at: app.clock.now)
            }
        }

        #expect(verdicts.count { $0 == .allowed } == 20)
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

        #expect(try await spend(by: app) != .allowed)
    }
}

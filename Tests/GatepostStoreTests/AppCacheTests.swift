import GatepostModel
@testable import GatepostStore
import Postgres
import Synchronization
import TestSupport
import Testing

/// How soon a node learns that an app was changed elsewhere; its monotonic time is the test's.
@Suite("App cache", .showsSeed)
struct AppCacheTests {
    /// Monotonic time that moves only when told.
    private final class HostTime: Sendable {
        private let elapsed = Mutex(Duration.zero)
        private let start = ContinuousClock().now

        var now: ContinuousClock.Instant { start + elapsed.withLock { $0 } }

        func advance(by duration: Duration) {
            elapsed.withLock { $0 += duration }
        }
    }

    /// A node whose memory is at the test's time, over the database that all share.
    private func node(_ time: HostTime) async throws -> Database {
        Database(
            pool: try await TestDatabase.current.pool, deadline: .seconds(10), scopes: AppCache(now: { time.now }))
    }

    private func suspend(_ app: TestApp) async throws {
        try await app.database.batch(in: app.scope) {
            $0.add("update apps set state = 'suspended', suspended_at = \(app.clock.now) where id = \(app.id)")
        }
    }

    @Test func `a node sees that an app was suspended once the memory's life is over, and not before`() async throws {
        let app = try await TestApp.make()
        let time = HostTime()
        let node = try await node(time)
        #expect(try await node.app(app.id)?.isSuspended == false)

        try await suspend(app)
        time.advance(by: AppCache.life - .nanoseconds(1))
        #expect(try await node.app(app.id)?.isSuspended == false)
        time.advance(by: .nanoseconds(1))
        #expect(try await node.app(app.id)?.isSuspended == true)
    }

    @Test func `asking often does not lengthen the memory`() async throws {
        let app = try await TestApp.make()
        let time = HostTime()
        let node = try await node(time)
        _ = try await node.app(app.id)
        try await suspend(app)

        for _ in 0..<4 {
            time.advance(by: AppCache.life / 4)
            _ = try await node.app(app.id)
        }

        #expect(try await node.app(app.id)?.isSuspended == true)
    }

    @Test func `that there is no such app is not remembered`() async throws {
        let random = SeededRandom()
        let id = AppID.make(at: TestClock.start, random: random)
        let node = try await node(HostTime())
        #expect(try await node.app(id) == nil)

        try await TestDatabase.current.database.createApp(
            id, named: "Late", settings: AppSettings(), at: TestClock.start
        ) { _ in }

        #expect(try await node.app(id)?.name == "Late")
    }
}

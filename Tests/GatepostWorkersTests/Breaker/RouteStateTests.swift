import GatepostModel
import GatepostOutbox
@testable import GatepostWorkers
import TestSupport
import Testing

/// The breaker's rules, a step at a time.
@Suite("Route state")
struct RouteStateTests {
    let start = TestClock.start
    let far = TestClock.start + .days(1)

    private func pause(_ count: Int) -> Duration { .seconds(Int64(10 * count)) }

    private func pass(_ state: inout RouteState, at now: Instant, limit: Int = 100) -> RouteState.Pass? {
        if case .pass(let pass) = state.admit(.interactive, limit: limit, at: now, expiresAt: far) { pass } else { nil }
    }

    private func wait(
        _ state: inout RouteState, at now: Instant, _ lane: Lane = .notice, expiresAt: Instant? = nil
    ) -> Instant? {
        if case .turnedAway(let until) = state.admit(lane, limit: 100, at: now, expiresAt: expiresAt ?? far) {
            until
        } else {
            nil
        }
    }

    /// One attempt from its beginning to its end.
    @discardableResult
    private func attempt(
        _ state: inout RouteState, _ verdict: RouteState.Verdict, at now: Instant
    ) throws -> RouteState.Change? {
        let pass = try #require(pass(&state, at: now))
        return state.end(pass, verdict, at: now, pause: pause)
    }

    private func opened(at now: Instant) throws -> RouteState {
        var state = RouteState(at: now)
        for _ in 0..<RouteState.failuresMax { try attempt(&state, .failed, at: now) }
        return state
    }

    @Test func `five failures in a row open a route, and it says so once`() throws {
        var state = RouteState(at: start)
        for _ in 1...4 { #expect(try attempt(&state, .failed, at: start) == nil) }

        #expect(try attempt(&state, .failed, at: start) == .opened(probeAt: start + .seconds(10)))
        #expect(state.phase == .open(probeAt: start + .seconds(10)))
    }

    @Test func `an answer between failures begins the count anew, what was not tried does not`() throws {
        var state = RouteState(at: start)
        for _ in 1...4 { try attempt(&state, .failed, at: start) }
        try attempt(&state, .answered, at: start)
        for _ in 1...4 {
            try attempt(&state, .failed, at: start)
            try attempt(&state, .untried, at: start)
        }

        #expect(state.phase == .closed(failures: 4))
    }

    @Test func `until the probe nothing passes, then one message alone`() throws {
        var state = try opened(at: start)
        let probeAt = start + .seconds(10)

        #expect(pass(&state, at: probeAt - .microseconds(1)) == nil)
        let probe = try #require(pass(&state, at: probeAt))
        #expect(probe.isProbe)
        #expect(pass(&state, at: probeAt) == nil)
        #expect(pass(&state, at: probeAt + .hours(1)) == nil)
    }

    @Test func `a probe that fails leaves the route alone for longer, and that is no news`() throws {
        var state = try opened(at: start)
        let probeAt = start + .seconds(10)

        #expect(try attempt(&state, .failed, at: probeAt) == nil)
        #expect(state.phase == .open(probeAt: probeAt + .seconds(20)))
    }

    @Test func `a probe that came to nothing leaves the next message to probe`() throws {
        var state = try opened(at: start)
        let probeAt = start + .seconds(10)
        try attempt(&state, .untried, at: probeAt)

        let next = try #require(pass(&state, at: probeAt))
        #expect(next.isProbe)
    }

    @Test func `after the probe two go at a time, then three, and the fifth answer closes the route`() throws {
        var state = try opened(at: start)
        let now = start + .seconds(10)
        try attempt(&state, .answered, at: now)

        for expected in 2...4 {
            let passes = (0..<10).compactMap { _ in pass(&state, at: now) }
            #expect(passes.count == expected)
            for pass in passes.dropFirst() { _ = state.end(pass, .untried, at: now, pause: pause) }
            #expect(state.end(passes[0], .answered, at: now, pause: pause) == nil)
        }
        #expect(try attempt(&state, .answered, at: now) == .closed)
        #expect((0..<10).compactMap { _ in pass(&state, at: now) }.count == 10)
    }

    @Test func `a failure while it recovers opens it again at once`() throws {
        var state = try opened(at: start)
        let now = start + .seconds(10)
        try attempt(&state, .answered, at: now)

        #expect(try attempt(&state, .failed, at: now) == nil)
        #expect(state.phase == .open(probeAt: now + .seconds(20)))
    }

    @Test func `an attempt from before the opening neither opens it again nor counts against the probe`() throws {
        var state = RouteState(at: start)
        let old = (0..<3).compactMap { _ in pass(&state, at: start) }
        for _ in 1...5 { try attempt(&state, .failed, at: start) }
        let probeAt = start + .seconds(10)
        _ = state.end(old[0], .failed, at: start + .seconds(5), pause: pause)
        #expect(state.phase == .open(probeAt: probeAt))

        let probe = try #require(pass(&state, at: probeAt))
        _ = state.end(old[1], .failed, at: probeAt, pause: pause)
        #expect(pass(&state, at: probeAt) == nil)
        // One that was answered after all shows that the destination lives.
        _ = state.end(old[2], .answered, at: probeAt, pause: pause)
        #expect(state.phase == .recovering(answers: 1))
        _ = state.end(probe, .answered, at: probeAt, pause: pause)
        #expect(state.phase == .recovering(answers: 2))
    }

    @Test func `no more than the limit is under way, whenever it began`() throws {
        var state = RouteState(at: start)
        let passes = (0..<10).compactMap { _ in pass(&state, at: start, limit: 4) }

        #expect(passes.count == 4)
        _ = state.end(passes[0], .answered, at: start, pause: pause)
        #expect(pass(&state, at: start, limit: 4) != nil)
        #expect(pass(&state, at: start, limit: 4) == nil)
    }

    @Test func `those that wait stand in a line from the probe on, and its length is bounded`() throws {
        var state = try opened(at: start)
        let probeAt = start + .seconds(10)
        let places = (0..<1000).compactMap { _ in wait(&state, at: start) }

        #expect(places.first == probeAt)
        #expect(zip(places, places.dropFirst()).allSatisfy { $1 - $0 == RouteState.lineStepMin })
        let later = (0..<400_000).reduce(into: probeAt) { last, _ in last = max(last, wait(&state, at: start) ?? far) }
        #expect(later <= probeAt + RouteState.lineLengthMax)
    }

    @Test(arguments: [(1, 2), (40, 10), (20_000, 20)] as [(Int64, Int64)])
    func `a line moves at the pace at which the destination takes messages, within bounds`(
        lengthMilliseconds: Int64, stepMilliseconds: Int64
    ) throws {
        var state = RouteState(at: start)
        var now = start
        for _ in 1...50 {
            let pass = try #require(pass(&state, at: now, limit: 4))
            now = now + .milliseconds(lengthMilliseconds)
            _ = state.end(pass, .answered, at: now, pause: pause)
        }
        let passes = (0..<4).compactMap { _ in pass(&state, at: now, limit: 4) }
        let places = (0..<3).compactMap { _ -> Instant? in
            guard case .turnedAway(let until) = state.admit(.notice, limit: 4, at: now, expiresAt: far + .days(1))
            else {
                return nil
            }
            return until
        }

        #expect(passes.count == 4 && places.first == now + RouteState.lookAgainPause)
        let steps = zip(places, places.dropFirst()).map { $1 - $0 }
        #expect(steps.count == 2)
        // The average comes near the length, from below.
        let expected = Duration.milliseconds(stepMilliseconds)
        #expect(steps.allSatisfy { $0 <= expected && $0 >= expected - .microseconds(10) })
    }

    @Test func `a sign-in mail stands behind no bulk mail`() throws {
        var state = try opened(at: start)
        for _ in 0..<1000 { _ = wait(&state, at: start, .bulk) }

        #expect(wait(&state, at: start, .interactive) == start + .seconds(10))
    }

    @Test func `a message waits no longer than it lives, and for a last look before where the line would be too long`()
        throws
    {
        var state = try opened(at: start)
        let probeAt = start + .seconds(10)
        for _ in 0..<1000 { _ = wait(&state, at: start) }

        #expect(wait(&state, at: start, expiresAt: probeAt + .seconds(1)) == probeAt)
        #expect(wait(&state, at: start, expiresAt: probeAt - .seconds(1)) == probeAt - .seconds(1))
    }

    @Test func `the pauses before probes grow to a minute, with up to a fifth of chance above`() {
        let policy = RetryPolicy(random: SeededRandom())
        for (count, seconds) in [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (50, 60)] as [(Int, Int64)] {
            let pause = policy.pauseBeforeProbe(afterOpenings: count)
            #expect(pause >= .seconds(seconds) && pause <= .seconds(seconds) * 12 / 10, "\(count)")
        }
    }
}

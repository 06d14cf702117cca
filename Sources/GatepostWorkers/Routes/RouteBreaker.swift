import GatepostModel
import GatepostOutbox
import Synchronization

/// Keeps a worker from a destination that fails, and from giving one destination all of its attention.
///
/// While a route is open its messages wait and lose no try, so an hour without a relay costs the mails an hour and not
/// their tries. A webhook endpoint has no more than its share of the slots, so one that hangs delays nobody else
/// (SECURITY.md, W4). Each worker has one of its own, in memory (docs/decisions/0014-a-breaker-for-each-worker.md).
final class RouteBreaker: Sendable {
    /// Notices under way to one endpoint, in one worker: an eighth of its slots, from 4 to 32.
    ///
    /// Fewer than four would be five notices a second for a receiver on the other side of the world; more than 32 are
    /// more than most receivers expect.
    static func perEndpointMax(ofSlots slots: Int) -> Int { min(max(slots / 8, 4), 32) }

    /// A route that nothing was asked of for so long is forgotten: its endpoint may be gone.
    static let idleMax: Duration = .hours(1)

    /// The right to attempt a message, to be given back when the attempt has ended.
    struct Pass: Sendable {
        fileprivate let route: String
        /// Nil for a route that leads nowhere outside.
        fileprivate let inner: RouteState.Pass?
    }

    enum Admission: Sendable {
        case pass(Pass)
        case turnedAway(until: Instant)
    }

    private struct State {
        var routes: [String: RouteState] = [:]
        var counts: [RouteKind: BreakerReport.Counts] = [:]
        var forgottenAt: Instant?

        /// Forgets, now and then, what nobody has used for long: memory follows what is tried, not what once was.
        mutating func forgetIdle(at now: Instant) {
            if let last = forgottenAt, now - last < RouteBreaker.idleMax / 6 { return }
            routes = routes.filter { $0.value.underWayCount > 0 || now - $0.value.lastUsedAt < RouteBreaker.idleMax }
            forgottenAt = now
        }
    }

    private let policy: RetryPolicy
    private let perEndpointMax: Int
    private let state = Mutex(State())

    init(policy: RetryPolicy, slots: Int) {
        self.policy = policy
        perEndpointMax = Self.perEndpointMax(ofSlots: slots)
    }

    /// Lets a message be attempted, or says until when it waits.
    func admit(_ message: ClaimedMessage, at now: Instant) -> Admission {
        let route = message.route
        guard let kind = RouteKind(route) else { return .pass(Pass(route: route, inner: nil)) }
        let limit = kind == .webhook ? perEndpointMax : Int.max
        return state.withLock { state in
            state.forgetIdle(at: now)
            switch state.routes[route, default: RouteState(at: now)]
                .admit(message.lane, limit: limit, at: now, expiresAt: message.expiresAt)
            {
            case .pass(let pass):
                return .pass(Pass(route: route, inner: pass))
            case .turnedAway(let until):
                state.counts[kind, default: .init()].turnedAway += 1
                return .turnedAway(until: until)
            }
        }
    }

    /// Takes note of how an attempt ended; returns what somebody should hear of.
    func end(_ pass: Pass, _ verdict: RouteState.Verdict, at now: Instant) -> RouteState.Change? {
        guard let inner = pass.inner, let kind = RouteKind(pass.route) else { return nil }
        return state.withLock { state in
            let change = state.routes[pass.route]?.end(inner, verdict, at: now) { count in
                policy.pauseBeforeProbe(afterOpenings: count)
            }
            if inner.isProbe, verdict != .untried { state.counts[kind, default: .init()].probes += 1 }
            if case .opened = change { state.counts[kind, default: .init()].openings += 1 }
            return change
        }
    }

    /// What stands open now, and what happened so far.
    func report(at now: Instant) -> BreakerReport {
        state.withLock { state in
            state.forgetIdle(at: now)
            var counts = state.counts
            for (route, seen) in state.routes {
                guard case .open = seen.phase, let kind = RouteKind(route) else { continue }
                counts[kind, default: .init()].open += 1
            }
            return BreakerReport(counts)
        }
    }
}

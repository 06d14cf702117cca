import Foundation
import GatepostDev
import Synchronization

/// What a fault affects, and by whose success one sees that it has recovered.
enum Affected: Sendable, Hashable {
    case api
    case mail
    case notice
    /// A mail or a notice, whichever comes first.
    case delivery
}

/// How long something took to work again.
struct Recovery: Sendable, CustomStringConvertible {
    let fault: String
    /// Nil if it never did, within the bound.
    let seconds: Double?

    var description: String {
        "\(fault) recovered \(seconds.map { "after \(String(format: "%.1f", $0)) s" } ?? "never")"
    }
}

/// Sees what works, and measures from there how long faults are felt.
final class Successes: Sendable {
    private struct State: Sendable {
        /// When the last success of each kind began.
        var latest: [Affected: Double] = [:]
        var recoveries: [Recovery] = []
        var holds: [Hold] = []
    }

    /// A time in which a fault made a success impossible.
    private struct Hold: Sendable {
        let what: Set<Affected>
        let end: Double
    }

    private let state = Watched(State())
    /// When this round began.
    let start = Date().timeIntervalSince1970

    /// Seconds since 1970: sinks, load and database are on one machine, whose clock nobody moves.
    var now: Double { Date().timeIntervalSince1970 }
    /// The recoveries so far.
    var recoveries: [Recovery] { state.current.recoveries }

    /// Notes a success; one that began before the end of a fault says nothing of it.
    func saw(_ what: Affected, begunAt begin: Double) {
        state.update { state in
            state.latest[what] = max(state.latest[what] ?? 0, begin)
            if what == .mail || what == .notice {
                state.latest[.delivery] = max(state.latest[.delivery] ?? 0, begin)
            }
        }
    }

    /// Notes that nothing of this could succeed until now.
    func held(_ what: Set<Affected>) {
        let hold = Hold(what: what, end: now)
        state.update { $0.holds.append(hold) }
    }

    /// Waits for the next success that began after a moment, and notes how long it came after the fault.
    ///
    /// Where another fault held the same thing meanwhile, it counts from the end of that one: what stands still for
    /// half a minute says nothing about how quickly a connection is opened again.
    func recover(
        _ fault: String, _ what: Affected, since moment: Double, from begin: Double, within bound: Duration
    ) async {
        let fault = "\(fault) at \(Int(begin - start)) s"

        let success = try? await state.wait(within: bound) { state in
            state.latest[what].flatMap { $0 > moment ? $0 : nil }
        }
        let end = now
        state.update { state in
            let held = state.holds.filter { $0.what.contains(what) && $0.end > begin && $0.end < end }.map(\.end).max()
            let seconds = success.map { _ in end - max(begin, held ?? begin) }
            state.recoveries.append(Recovery(fault: fault, seconds: seconds))
        }
    }
}

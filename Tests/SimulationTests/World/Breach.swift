import GatepostModel

/// What Gatepost promises, and what a run is checked for.
enum Promise: String, Sendable, CaseIterable {
    /// What is owed stands in `outbox`, or its one end in `deliveries`.
    case noMessageIsLost = "message_lost"
    case oneEnd = "ended_twice"
    /// No attempt starts after a message's end.
    case nothingAfterTheEnd = "attempt_after_end"
    /// A second delivery only after a crash, an unknown outcome or the end of a lease, and of the same message.
    case noNeedlessDuplicate = "needless_duplicate"
    case nothingRedeemedTwice = "redeemed_twice"
    case nothingExpiredAccepted = "expired_accepted"
    /// What was deactivated, ended or superseded opens nothing.
    case theDeadStayDead = "dead_accepted"
    case eachChangeHasItsEvent = "change_without_event"
    case eventsStay = "event_lost"
    case noRowOfAnotherApp = "other_app"
    /// A flow answered otherwise than the model says it must.
    case asTheModelSays = "model_differs"
    case noUnexpectedError = "unexpected_error"
}

/// A promise that was broken, and where it was seen.
struct Breach: Sendable, CustomStringConvertible {
    let promise: Promise
    let detail: String

    var description: String { "\(promise.rawValue): \(detail)" }
}

/// The last steps of a run, for whoever has to find out why it failed.
struct Trace: Sendable {
    /// How many are kept for a report.
    static let shownMax = 60

    private(set) var lines: [String] = []
    /// Whether every line is kept, for comparing two runs.
    let keepsAll: Bool

    init(keepsAll: Bool) {
        self.keepsAll = keepsAll
    }

    mutating func add(_ line: String) {
        lines.append(line)
        if !keepsAll, lines.count > 4 * Self.shownMax { lines.removeFirst(lines.count - Self.shownMax) }
    }

    var last: String { lines.suffix(Self.shownMax).joined(separator: "\n") }
}

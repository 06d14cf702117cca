import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore

extension Wiring {
    /// What shows and changes what apps are owed.
    func deliveryFlow() -> DeliveryFlow {
        DeliveryFlow(database: database, clock: clock, random: random, signal: signal)
    }
}

/// Which messages an operator means: the options that `list` and `redrive` share.
struct MessageOptions: ParsableArguments {
    @Option(help: "Only of this kind, such as mail.verification.")
    var kind: String?
    @Option(help: "Only in this state: \(LedgerState.allCases.map(\.rawValue).joined(separator: ", ")).")
    var state: String?
    @Option(help: "Only what was owed from this moment on, such as 2026-03-02T09:00:00Z.")
    var since: String?
    @Option(help: "Only what was owed before this moment.")
    var until: String?

    func filter() throws -> LedgerFilter {
        var filter = LedgerFilter()
        filter.kind = kind.map(MessageKind.init(rawValue:))
        filter.state = try state.map { text in
            guard let state = LedgerState(rawValue: text) else { throw ValidationError("no such state: \(text)") }
            return state
        }
        filter.since = try since.map(Self.moment)
        filter.until = try until.map(Self.moment)
        return filter
    }

    private static func moment(_ text: String) throws -> Instant {
        guard let moment = Instant(rfc3339: text) else {
            throw ValidationError("\(text) is not a time in UTC such as 2026-03-02T09:00:00Z")
        }
        return moment
    }
}

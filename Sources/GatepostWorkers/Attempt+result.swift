import GatepostDelivery
import GatepostModel
import GatepostOutbox

extension Attempt {
    /// What a transport reports, as the ledger keeps it.
    init(_ result: AttemptResult, startedAt: Instant, endedAt: Instant) {
        let outcome: AttemptOutcome =
            switch result.outcome {
            case .delivered: .delivered
            case .transient: .transient
            case .permanent: .permanent
            case .indeterminate: .indeterminate
            }
        self.init(
            outcome: outcome, code: result.code.map { Int32(clamping: $0) }, reply: result.reply,
            startedAt: startedAt, endedAt: endedAt)
    }
}

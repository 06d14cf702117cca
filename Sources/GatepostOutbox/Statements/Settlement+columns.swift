import GatepostModel
import Postgres

/// Settlements as the arrays that a statement unnests; one row each.
struct SettlementColumns {
    private let settlements: [Settlement]

    init(_ settlements: [Settlement]) {
        self.settlements = settlements
    }

    /// `s`: the key with the fence, and the attempt if there was one.
    var keysAndAttempts: SQL {
        let attempts = settlements.map(\.attempt)
        return """
            \(settlements.map(\.app)), \(settlements.map(\.message)), \(settlements.map(\.claimNumber)),
            \(settlements.map(\.attemptCount)), \(settlements.map(\.at)), \(attempts.map { $0?.outcome.rawValue }),
            \(attempts.map { $0?.code }), \(attempts.map { $0?.reply }), \(attempts.map { $0?.startedAt }),
            \(attempts.map { $0?.endedAt })
            """
    }

    /// The names of `keysAndAttempts`.
    static let names: SQL = """
        app_id, id, claim_number, attempt_count, settled_at, attempt_outcome, code, reply, attempt_started_at,
        attempt_ended_at
        """

    /// The end and its reason.
    var ends: SQL {
        let ends = settlements.map { settlement -> (MessageEnd, String?)? in
            guard case .ended(let end, let reason) = settlement.fate else { return nil }
            return (end, reason)
        }
        return "\(ends.map { $0?.0.rawValue }), \(ends.map { $0?.1 })"
    }

    /// Whether it is ready again, and since when or until when it waits.
    var returns: SQL {
        let dueTimes = settlements.map { settlement -> (isReady: Bool, dueAt: Instant) in
            guard case .waits(let until) = settlement.fate else { return (true, settlement.at) }
            return (false, until)
        }
        return "\(dueTimes.map(\.isReady)), \(dueTimes.map(\.dueAt))"
    }
}

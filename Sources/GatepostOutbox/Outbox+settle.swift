package import GatepostModel
package import GatepostStore
import Postgres

/// What a batch of settlements came to.
package struct SettleReport: Sendable {
    /// Settlements that were applied.
    package fileprivate(set) var settled: [Settlement] = []
    /// How many these are.
    package var settledCount: Int { settled.count }
    /// Messages that somebody cancelled meanwhile; the attempt is on record.
    package fileprivate(set) var cancelledCount = 0
    /// Messages that another worker has claimed or ended since: this worker was too slow.
    package fileprivate(set) var lostCount = 0
    /// Settlements to be tried again: the row changed under the statement's eyes, such as by a hold.
    package fileprivate(set) var unsettled: [Settlement] = []
}

extension Database {
    /// Settles claimed messages, all or none, as a worker.
    ///
    /// Without waiting for the disk: a settlement that is lost with the server means one more delivery with the same
    /// id, which the contract allows.
    ///
    /// - Parameter settlements: At most `OutboxLimits.settledRowsMax`, each of another claim.
    /// - Returns: How many found their row, and what became of the others.
    /// - Throws: What Postgres says; then none is known to be settled, and all may be sent again.
    package func settle(_ settlements: [Settlement]) async throws -> SettleReport {
        var report = SettleReport()
        let ending = settlements.filter(\.ends)
        let returning = settlements.filter { !$0.ends }
        guard !settlements.isEmpty else { return report }
        let settled = try await system { batch in
            // Most batches only end messages: a statement about none would cost its planning and its locks.
            guard !returning.isEmpty else { return batch.settle(ending, SettleStatements.end) }
            guard !ending.isEmpty else { return batch.settle(returning, SettleStatements.putBack) }
            return batch.settle(ending, SettleStatements.end)
                .and(batch.settle(returning, SettleStatements.putBack)).map { $0.union($1) }
        }
        let missing = settlements.filter { !settled.contains($0.claim) }
        guard !missing.isEmpty else {
            report.settled = settlements
            return report
        }
        report.settled = settlements.filter { settled.contains($0.claim) }
        let fates = try await system { $0.explainMissing(missing) }
        for settlement in missing {
            switch fates[settlement.claim] {
            case .ours: report.unsettled.append(settlement)
            case .cancelled: report.cancelledCount += 1
            case .lost, nil: report.lostCount += 1
            }
        }
        return report
    }
}

extension AppTransaction {
    /// Ends a message whose handler only writes Postgres, in the handler's own transaction.
    ///
    /// To be called first: false means that another worker has it, and nothing must be done.
    package func settleLocally(_ message: ClaimedMessage, at now: Instant) async throws -> Bool {
        try await settleLocally(Settlement(of: message, .ended(.delivered, reason: nil), at: now))
    }

    /// Ends a message in the handler's own transaction, where its end changes something else too.
    ///
    /// To be called first: false means that another worker has it or somebody cancelled it, and nothing must be done.
    package func settleLocally(_ ending: Settlement) async throws -> Bool {
        try await query(SettleStatements.end([ending])).count == 1
    }
}

/// One claim of one message.
private struct Claim: Hashable {
    let message: MessageID
    let number: Int32

    init(message: MessageID, number: Int32) {
        (self.message, self.number) = (message, number)
    }

    init(_ row: PostgresRow) throws {
        self.init(message: try row.get("id"), number: try row.get("claim_number"))
    }
}

/// Why a settlement found no row.
private enum MissingFate {
    case ours, cancelled, lost
}

extension SystemBatch {
    fileprivate mutating func settle(
        _ settlements: [Settlement], _ statement: ([Settlement]) -> SQL
    ) -> BatchReading<Set<Claim>> {
        read(statement(settlements)) { rows in
            try rows.reduce(into: []) { $0.insert(try Claim($1)) }
        }
    }

    fileprivate mutating func explainMissing(_ settlements: [Settlement]) -> BatchReading<[Claim: MissingFate]> {
        read(SettleStatements.explainMissing(settlements)) { rows in
            try rows.reduce(into: [:]) { fates, row in
                let isOurs = try row.get("is_ours", as: Bool.self)
                let isCancelled = try row.get("is_cancelled", as: Bool.self)
                fates[try Claim(row)] = isOurs ? .ours : isCancelled ? .cancelled : .lost
            }
        }
    }
}

extension Settlement {
    fileprivate var claim: Claim { Claim(message: message, number: claimNumber) }

    fileprivate var ends: Bool {
        if case .ended = fate { true } else { false }
    }
}

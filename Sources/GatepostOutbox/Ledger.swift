package import GatepostModel
package import GatepostStore
import Postgres

/// What is owed or what became of it, as an operator sees it.
package struct LedgerEntry: Sendable, Codable {
    package let id: MessageID
    package let kind: String
    /// `owed`, `waiting` and `held` while it stands in the outbox, else its end.
    package let state: String
    /// Why it ended so.
    package let reason: String?
    package let userID: UserID?
    package let flowID: FlowID?
    package let attemptCount: Int32
    package let createdAt: Instant
    /// When it can next be claimed; nil once it has ended.
    package let dueAt: Instant?
    package let endedAt: Instant?
    /// What the last try came to.
    ///
    /// `delivered` beside the state `cancelled` means: cancelled, but sent.
    package let lastOutcome: String?
    package let lastCode: Int32?
    /// The receiver's own words at the last try.
    package let lastReply: String?

    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        kind = try row.get("kind")
        state = try row.get("state")
        reason = try row.get("reason")
        userID = try row.get("user_id")
        flowID = try row.get("flow_id")
        attemptCount = try row.get("attempt_count")
        createdAt = try row.get("created_at")
        dueAt = try row.get("due_at")
        endedAt = try row.get("ended_at")
        lastOutcome = try row.get("last_outcome")
        lastCode = try row.get("last_code")
        lastReply = try row.get("last_reply")
    }
}

/// One try at a message, as an operator sees it.
package struct LedgerAttempt: Sendable, Codable {
    package let claimNumber: Int32
    package let outcome: AttemptOutcome
    package let code: Int32?
    package let reply: String
    package let startedAt: Instant
    package let endedAt: Instant

    init(_ row: PostgresRow) throws {
        claimNumber = try row.get("claim_number")
        outcome = AttemptOutcome(rawValue: try row.get("outcome")) ?? .indeterminate
        code = try row.get("code")
        reply = try row.get("reply")
        startedAt = try row.get("started_at")
        endedAt = try row.get("ended_at")
    }
}

/// One message with every try at it.
package struct LedgerHistory: Sendable, Codable {
    package let entry: LedgerEntry
    /// Oldest first.
    package let attempts: [LedgerAttempt]
}

/// Which messages of the ledger are asked for.
package enum LedgerState: String, Sendable, CaseIterable {
    case owed, waiting, held
    case delivered, rejected, exhausted, expired, obsolete, suppressed, cancelled, indeterminate
}

/// How much of the ledger is read at once.
package enum LedgerLimits {
    /// Messages of one list.
    package static let entriesMax = 1000
    /// Attempts of one message; mail is tried about 35 times in a day.
    package static let attemptsMax = 200
}

extension AppBatch {
    /// Messages of the app, the newest first, from the outbox and from what has left it.
    ///
    /// - Parameters:
    ///   - state: Only these; nil for all.
    ///   - limit: At most `LedgerLimits.entriesMax`.
    /// - Returns: One entry a message, with its last attempt.
    package mutating func ledger(_ state: LedgerState? = nil, limit: Int = 100) -> BatchReading<[LedgerEntry]> {
        let ofState: SQL = state.map { "and l.state = \($0.rawValue)" } ?? ""
        let limit = min(limit, LedgerLimits.entriesMax)
        return read(ledgerSelect(where: "\(ofState) order by l.created_at desc, l.id desc limit \(limit)")) {
            try $0.map(LedgerEntry.init)
        }
    }

    /// One message with every try at it; nil if the app has none of this id.
    package mutating func ledgerHistory(of message: MessageID) -> BatchReading<LedgerHistory?> {
        let entry = read(ledgerSelect(where: "and l.id = \(message)")) { try $0.first.map(LedgerEntry.init) }
        let attempts = read(
            """
            select claim_number, outcome, code, reply, started_at, ended_at
              from delivery_attempts
             where app_id = \(scope.appID) and message_id = \(message)
             order by ended_at
             limit \(LedgerLimits.attemptsMax)
            """
        ) { try $0.map(LedgerAttempt.init) }
        return entry.and(attempts).map { entry, attempts in
            entry.map { LedgerHistory(entry: $0, attempts: attempts) }
        }
    }

    private func ledgerSelect(where condition: SQL) -> SQL {
        """
        select l.id, l.kind, l.state, l.reason, l.user_id, l.flow_id, l.attempt_count, l.created_at, l.due_at,
               l.ended_at, last.outcome as last_outcome, last.code as last_code, last.reply as last_reply
          from ledger as l
          left join lateral (
                 select a.outcome, a.code, a.reply
                   from delivery_attempts as a
                  where a.app_id = l.app_id and a.message_id = l.id
                  order by a.ended_at desc
                  limit 1) as last on true
         where l.app_id = \(scope.appID) \(condition)
        """
    }
}

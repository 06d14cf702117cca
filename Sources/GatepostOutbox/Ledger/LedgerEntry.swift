package import GatepostModel
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
    /// From when on nobody attempts it, or would have.
    package let expiresAt: Instant?
    package let endedAt: Instant?
    /// The message that ended before and is owed anew by this one.
    package let replayOf: MessageID?
    /// The trace of the request that owed it and of every try, as the log has it; its own where no request did.
    package let traceID: String
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
        expiresAt = try row.get("expires_at")
        endedAt = try row.get("ended_at")
        replayOf = try row.get("replay_of")
        traceID = TraceContext(ofAttempt: 0, at: id, continuing: try row.get("trace")).traceID
        lastOutcome = try row.get("last_outcome")
        lastCode = try row.get("last_code")
        lastReply = try row.get("last_reply")
    }

    /// Whether it goes to somebody, by mail or webhook; what does not is the system's own and nobody's to steer.
    package var isForSomebody: Bool { kind.hasPrefix("mail.") || kind.hasPrefix("webhook.") }
    /// Whether it still stands in the outbox.
    package var isOwed: Bool { endedAt == nil }
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

/// A message that owes another one anew.
package struct LedgerReplay: Sendable, Codable {
    package let id: MessageID
    /// Whether it still stands in the outbox.
    package let isOwed: Bool

    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        isOwed = try row.get("is_owed")
    }
}

/// One message with every try at it, and what came of it afterwards.
package struct LedgerHistory: Sendable, Codable {
    package let entry: LedgerEntry
    /// Oldest first.
    package let attempts: [LedgerAttempt]
    /// Messages that owe it anew, oldest first.
    package let replays: [LedgerReplay]
}

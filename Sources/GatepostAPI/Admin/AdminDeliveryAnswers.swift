import GatepostFlows
import GatepostModel
import GatepostOutbox
import Hummingbird

/// What the admin API shows of the ledger.
enum AdminDeliveryAnswers {
    /// A message: what is owed, or what became of it, with the last try.
    struct Message: ResponseEncodable {
        let id: MessageID
        let kind: String
        let state: String
        let reason: String?
        let userID: UserID?
        let flowID: FlowID?
        let attemptCount: Int32
        let lastOutcome: String?
        let lastCode: Int32?
        let lastReply: String?
        let replayOf: MessageID?
        let createdAt: Instant
        let dueAt: Instant?
        let expiresAt: Instant?
        let endedAt: Instant?

        enum CodingKeys: String, CodingKey {
            case id, kind, state, reason
            case userID = "user_id"
            case flowID = "flow_id"
            case attemptCount = "attempt_count"
            case lastOutcome = "last_outcome"
            case lastCode = "last_code"
            case lastReply = "last_reply"
            case replayOf = "replay_of"
            case createdAt = "created_at"
            case dueAt = "due_at"
            case expiresAt = "expires_at"
            case endedAt = "ended_at"
        }

        init(_ entry: LedgerEntry) {
            (id, kind, state, reason) = (entry.id, entry.kind, entry.state, entry.reason)
            (userID, flowID, replayOf) = (entry.userID, entry.flowID, entry.replayOf)
            (attemptCount, lastOutcome) = (entry.attemptCount, entry.lastOutcome)
            (lastCode, lastReply) = (entry.lastCode, entry.lastReply)
            (createdAt, dueAt) = (entry.createdAt, entry.dueAt)
            (expiresAt, endedAt) = (entry.expiresAt, entry.endedAt)
        }
    }

    /// One try, with the receiver's own words.
    struct Attempt: Encodable {
        let outcome: AttemptOutcome
        let code: Int32?
        let reply: String
        let startedAt: Instant
        let endedAt: Instant

        enum CodingKeys: String, CodingKey {
            case outcome, code, reply
            case startedAt = "started_at"
            case endedAt = "ended_at"
        }

        init(_ attempt: LedgerAttempt) {
            (outcome, code, reply) = (attempt.outcome, attempt.code, attempt.reply)
            (startedAt, endedAt) = (attempt.startedAt, attempt.endedAt)
        }
    }

    /// A message with every try at it.
    struct Detail: ResponseEncodable {
        let message: Message
        let attempts: [Attempt]
        let replayedBy: [MessageID]

        enum CodingKeys: String, CodingKey {
            case message, attempts
            case replayedBy = "replayed_by"
        }

        init(_ history: LedgerHistory) {
            message = Message(history.entry)
            attempts = history.attempts.map(Attempt.init)
            replayedBy = history.replays.map(\.id)
        }
    }

    /// How far a redrive by filter came.
    struct Redriven: ResponseEncodable {
        let redriven: Int
        let hasMore: Bool

        enum CodingKeys: String, CodingKey {
            case redriven
            case hasMore = "has_more"
        }
    }
}

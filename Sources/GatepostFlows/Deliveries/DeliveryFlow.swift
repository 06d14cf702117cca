package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// What becomes of an app's messages, and what may be done about it.
///
/// Each deed is one transaction with its audit event. What is asked for a second time, or has come about meanwhile, is
/// answered as done and leaves no second event; what the message's state does not allow is refused as a conflict.
package struct DeliveryFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let signal: OutboxSignal

    /// Wires the flow; the signal wakes a worker in the same process, if there is one.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, signal: OutboxSignal = OutboxSignal()
    ) {
        (self.database, self.clock, self.random, self.signal) = (database, clock, random, signal)
    }

    /// One page of what is owed and what became of it, newest first.
    package func deliveries(
        _ filter: LedgerFilter, after cursor: PageCursor?, limit: Int, in scope: AppScope
    ) async throws -> [LedgerEntry] {
        try await database.batch(in: scope) { $0.ledger(filter, after: cursor, limit: limit, at: clock.now) }
    }

    /// One message with every try at it; nil if the app has none of this id.
    package func delivery(_ id: MessageID, in scope: AppScope) async throws -> LedgerHistory? {
        try await database.batch(in: scope) { $0.ledgerHistory(of: id, at: clock.now) }
    }

    /// Takes back what is still owed: no attempt starts from here on.
    ///
    /// One that is under way may still arrive; it is recorded, and the end stays `cancelled`.
    package func cancel(
        _ id: MessageID, for request: DeliveryRequest, in scope: AppScope
    ) async throws -> AdminOutcome<MessageID> {
        let reason = request.actor == .operator ? "operator" : "admin"
        return try await change(id, .messageCancelled, request, in: scope, isDoneIf: { $0.state == "cancelled" }) {
            $0.cancelMessage(id, reason: reason, at: $1)
        }
    }

    /// Keeps what is still owed from being claimed until it is released; see `AppBatch.holdMessage`.
    package func hold(
        _ id: MessageID, for request: DeliveryRequest, in scope: AppScope
    ) async throws -> AdminOutcome<MessageID> {
        try await change(id, .messageHeld, request, in: scope, isDoneIf: { $0.state == "held" }) {
            $0.holdMessage(id, at: $1)
        }
    }

    /// Lets a held message be claimed again; see `AppBatch.releaseMessage`.
    package func release(
        _ id: MessageID, for request: DeliveryRequest, in scope: AppScope
    ) async throws -> AdminOutcome<MessageID> {
        try await change(id, .messageReleased, request, in: scope, isDoneIf: { $0.isOwed && $0.state != "held" }) {
            $0.releaseMessage(id, at: $1)
        }
    }

    /// Changes one message that is still owed.
    ///
    /// The statement decides, and what stands afterwards explains: a racing worker or admin may have been first.
    private func change(
        _ id: MessageID, _ kind: AuditEvent.Kind, _ request: DeliveryRequest, in scope: AppScope,
        isDoneIf: (LedgerEntry) -> Bool, _ statement: (inout AppBatch, Instant) -> BatchReading<Bool>
    ) async throws -> AdminOutcome<MessageID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(
                request.idempotencyKey, by: request.actor, naming: id.description, occasion
            ) {
                let (isChanged, entry) = try await transaction.batch { batch in
                    let isChanged = statement(&batch, occasion.now)
                    return isChanged.and(batch.ledgerEntry(of: id, at: occasion.now))
                }
                guard let entry else { return .refused(Refusal(.notFound)) }
                guard entry.isForSomebody else { return .refused(Self.ownMessage) }
                guard isChanged else {
                    return isDoneIf(entry) ? .done(id.description) : .refused(Self.conflict(entry.state))
                }
                try await transaction.batch { batch in
                    batch.record(
                        request.event(kind, id, userID: entry.userID, flowID: entry.flowID, occasion))
                }
                return .done(id.description)
            }
        }
        signal.raise()
        return outcome.messageID
    }

    /// Whoever could stop an export's parts could keep the audit of their own deeds from being written.
    static let ownMessage = Refusal(.conflict, detail: "The message is the system's own: it goes to nobody.")

    static func conflict(_ state: String) -> Refusal {
        Refusal(.conflict, detail: "The message is \(state).")
    }
}

extension AdminOutcome<String> {
    /// The message that the answer is about.
    var messageID: AdminOutcome<MessageID> {
        switch self {
        case .done(let reference):
            MessageID(reference).map(AdminOutcome<MessageID>.done) ?? .refused(Refusal(.notFound))
        case .refused(let refusal): .refused(refusal)
        }
    }
}

package import GatepostModel
package import GatepostOutbox
package import GatepostStore

extension DeliveryFlow {
    /// Owes anew what has ended, whatever its end, as a new message.
    ///
    /// - Parameters:
    ///   - id: The message that ended.
    ///   - request: Who asks.
    ///   - scope: Its app.
    /// - Returns: The new message; the one that is owed already if there is one.
    /// - Throws: `PostgresError`.
    package func resend(
        _ id: MessageID, for request: DeliveryRequest, in scope: AppScope
    ) async throws -> AdminOutcome<MessageID> {
        try await replay(id, .messageResent, request, in: scope) { entry, _ in
            entry.isOwed ? Self.conflict(entry.state) : nil
        }
    }

    /// Owes anew what failed, once.
    ///
    /// Afterwards the new message counts: it can fail and be redriven in its turn. What was delivered, or ended because
    /// somebody or something decided so, is a matter of `resend`.
    package func redrive(
        _ id: MessageID, for request: DeliveryRequest, in scope: AppScope
    ) async throws -> AdminOutcome<MessageID> {
        try await replay(id, .messageRedriven, request, in: scope) { entry, replays in
            guard MessageEnd(rawValue: entry.state)?.isFailure == true else { return Self.conflict(entry.state) }
            guard replays.isEmpty else {
                return Refusal(.conflict, detail: "It was owed anew before; redrive or resend that message.")
            }
            return nil
        }
    }

    /// How far a redrive by filter came.
    package struct Redriven: Sendable {
        package let count: Int
        /// Whether another call finds more.
        package let hasMore: Bool

        /// As an idempotency key refers to it.
        var reference: String { "\(count) \(hasMore)" }

        init(count: Int, hasMore: Bool) {
            (self.count, self.hasMore) = (count, hasMore)
        }

        init?(reference: String) {
            let parts = reference.split(separator: " ")
            guard parts.count == 2, let count = Int(parts[0]), let hasMore = Bool(String(parts[1])) else { return nil }
            self.init(count: count, hasMore: hasMore)
        }
    }

    /// Owes anew what failed within bounds, the oldest first, at most `LedgerLimits.redrivenMax` in one call.
    ///
    /// In the bulk lane: the mails of a day ago shall not delay the one that somebody waits for now. Each has its own
    /// event, so that the trail of a message can be followed.
    ///
    /// - Parameters:
    ///   - filter: Kind, state and bounds; its state, if any, is a failure.
    ///   - request: Who asks.
    ///   - scope: The app.
    /// - Returns: How many, and whether there are more.
    /// - Throws: `PostgresError`.
    package func redriveAll(
        _ filter: LedgerFilter, for request: DeliveryRequest, in scope: AppScope
    ) async throws -> AdminOutcome<Redriven> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request.idempotencyKey, by: request.actor, naming: "", occasion) {
                try await transaction.lockReplays()
                let limit = LedgerLimits.redrivenMax
                let failed = try await transaction.batch {
                    $0.failedMessages(filter, limit: limit + 1, at: occasion.now)
                }
                let replays = try await transaction.replay(
                    failed.prefix(limit).map { MessageReplay(of: $0, as: occasion.id()) }, in: .bulk,
                    at: occasion.now)
                try await transaction.batch { batch in
                    for replay in replays {
                        batch.record(request.event(.messageRedriven, replay, occasion))
                    }
                }
                return .done(Redriven(count: replays.count, hasMore: failed.count > limit).reference)
            }
        }
        signal.raise()
        switch outcome {
        case .done(let reference):
            return Redriven(reference: reference).map(AdminOutcome.done) ?? .refused(Refusal(.idempotencyKeyReused))
        case .refused(let refusal):
            return .refused(refusal)
        }
    }

    private func replay(
        _ id: MessageID, _ kind: AuditEvent.Kind, _ request: DeliveryRequest, in scope: AppScope,
        refusal: (LedgerEntry, [LedgerReplay]) -> Refusal?
    ) async throws -> AdminOutcome<MessageID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let new: MessageID = occasion.id()
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(
                request.idempotencyKey, by: request.actor, naming: new.description, occasion
            ) {
                try await transaction.lockReplays()
                let (entry, replays) = try await transaction.batch { batch in
                    let entry = batch.ledgerEntry(of: id, at: occasion.now)
                    return entry.and(batch.ledgerReplays(of: id, at: occasion.now))
                }
                guard let entry else { return .refused(Refusal(.notFound)) }
                guard entry.isForSomebody else { return .refused(Self.ownMessage) }
                if let owed = replays.first(where: \.isOwed) { return .done(owed.id.description) }
                if let refusal = refusal(entry, replays) { return .refused(refusal) }
                let made = try await transaction.replay([MessageReplay(of: id, as: new)], at: occasion.now)
                guard let replay = made.first else { return .refused(Self.conflict(entry.state)) }
                try await transaction.batch { $0.record(request.event(kind, replay, occasion)) }
                return .done(new.description)
            }
        }
        signal.raise()
        return outcome.messageID
    }
}

extension DeliveryRequest {
    fileprivate func event(_ kind: AuditEvent.Kind, _ replay: MessageReplay, _ occasion: Occasion) -> AuditEvent {
        event(kind, replay.message, userID: replay.userID, flowID: replay.flowID, replay: replay.id, occasion)
    }
}

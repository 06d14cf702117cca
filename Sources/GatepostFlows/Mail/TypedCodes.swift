import GatepostModel
import GatepostStore

/// Tries the codes of mails that people type: the same way for each kind of flow.
struct TypedCodes: Sendable {
    let database: Database
    let keys: KeyRing

    /// What a typed code came to.
    enum Outcome {
        /// It is the flow's; of any number of callers who get this, one passes the flow by it.
        case right(FlowProof)
        /// `isRecorded` says whether the event is written already.
        case refused(Refusal, isRecorded: Bool)
    }

    /// A code that somebody typed, and for what.
    struct Typed {
        let code: String
        let flow: FlowID
        /// Who began the flow.
        let holder: OneTimeToken
        let kind: FlowKind
        /// The event of a refusal.
        let refused: AuditEvent.Kind
    }

    /// Compares what was typed, and counts it if it is wrong.
    ///
    /// First the limits, in a statement of their own: a code is one more way to prove what a password proves, and both
    /// count together (CVE-2025-64102). What they refuse is not compared, and costs none of the five tries. A right
    /// code was no guess, so it gives back what it has spent, whatever comes of it.
    func attempt(_ typed: Typed, in scope: AppScope, _ occasion: Occasion) async throws -> Outcome {
        let record = try await database.batch(in: scope) { $0.flow(typed.flow, heldBy: typed.holder) }
        guard let record, record.kind == typed.kind, record.expiresAt > occasion.now else {
            return .refused(Refusal(.invalidFlow), isRecorded: false)
        }
        guard record.isPending else { return .refused(Self.refusal(of: record), isRecorded: false) }
        let secrets = FlowSecrets(
            app: scope.appID, flow: typed.flow, kind: typed.kind, epoch: record.secretEpoch, keys: keys)
        guard let secrets, let email = EmailAddress(record.emailEntered ?? record.email) else {
            return .refused(Refusal(.invalidFlow), isRecorded: false)
        }
        let hash = secrets.codeHash(typed.code)
        guard record.codeAttemptCount < FlowSecrets.codeAttemptsMax else {
            // A try past the last one is not compared, so it spends nothing; it ends the flow.
            return try await compare(hash, typed, in: scope, occasion)
        }
        let limits = Limits(keys: keys)
        let budgets = limits.proof(of: email, from: occasion.origin, in: scope, at: occasion.now)
        let verdict = try await database.batch(in: scope, durability: .asynchronous) { batch in
            batch.spend(budgets, at: occasion.now)
        }
        if let refusal = Refusal(verdict) { return .refused(refusal, isRecorded: false) }
        let outcome = try await compare(hash, typed, in: scope, occasion)
        try await database.batch(in: scope, durability: .asynchronous) { batch in
            switch outcome {
            case .right: batch.refund(limits.earned(budgets, by: email), at: occasion.now)
            case .refused(let refusal, _) where refusal.code == .invalidCode: break
            // Another caller was first, and nothing was compared.
            case .refused: batch.giveBack(limits.unused(budgets), at: occasion.now)
            }
        }
        guard case .refused(let refusal, let isRecorded) = outcome, refusal.code == .invalidCode else { return outcome }
        return .refused(refusal.counted(verdict), isRecorded: isRecorded)
    }

    private func compare(
        _ hash: [UInt8], _ typed: Typed, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Outcome {
        let exhausted = Refusal(.newMail)
        let (outcome, after) = try await database.batch(in: scope) { batch in
            let outcome = batch.tryCode(hash, of: typed.flow, heldBy: typed.holder, typed.kind, at: occasion.now)
            // In the transaction that refuses the flow: if the answer is lost here, the end still has its event.
            batch.record(
                occasion.event(typed.refused, by: .anyone, flowID: typed.flow, reason: exhausted.code.rawValue),
                ifExhausted: typed.flow)
            return outcome.and(batch.flow(typed.flow, heldBy: typed.holder))
        }
        return switch outcome {
        case .right: .right(.code(hash: hash, typed.flow, startedBy: typed.holder))
        case .wrong: .refused(Refusal(.invalidCode), isRecorded: false)
        case .exhausted: .refused(exhausted, isRecorded: true)
        case nil: .refused(Self.refusal(of: after), isRecorded: false)
        }
    }

    /// Why a flow takes no code any more.
    private static func refusal(of record: FlowRecord?) -> Refusal {
        let exhausted = Refusal(.newMail)
        return record?.reason == exhausted.code.rawValue ? exhausted : Refusal(.invalidFlow)
    }
}

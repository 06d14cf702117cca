import GatepostModel
import GatepostOutbox
import GatepostStore

/// What the flows of second factors have in common: trying a code, setting up an authenticator, and what follows.
struct FactorParts: Sendable {
    let mail: MailFlowParts

    private var database: Database { mail.database }
    private var keys: KeyRing { mail.keys }

    /// A second factor that was found right and is not used up yet.
    enum Proof: Sendable {
        case step(Int64, of: UserFactorID, resealed: [UInt8]?)
        case recovery([UInt8])
    }

    /// What trying a code came to.
    enum Try: Sendable {
        /// With what it has spent, which is given back once it is used up.
        case right(Proof, RateBudgets)
        case refused(Refusal)
    }

    /// Whose code is tried.
    struct Person: Sendable {
        let id: UserID
        let email: EmailAddress
    }

    /// Compares a code with a user's authenticator or their recovery codes; uses nothing up.
    ///
    /// First the limits, in a statement of their own. A code of six digits is counted by its user, too, however many
    /// networks it comes from and whoever knows the password: no success with the password ends that count. A recovery
    /// code cannot be guessed and is not counted there, so it still works where the authenticator's tries are over, and
    /// whoever has one ends these.
    ///
    /// - Parameters:
    ///   - typed: What was typed.
    ///   - person: Whose it is to be.
    ///   - scope: The app.
    ///   - occasion: The moment.
    /// - Returns: What it came to.
    /// - Throws: `PostgresError`.
    func tryCode(
        _ typed: String, of person: Person, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Try {
        let proof = mail.limits.proof(of: person.email, from: occasion.origin, in: scope, at: occasion.now)
        if let code = RecoveryCode(typed: typed) {
            let verdict = try await spend(proof, in: scope, occasion)
            if let refusal = Refusal(verdict) { return .refused(refusal) }
            let earned = mail.limits.earned(proof, by: person.email)
            return .right(
                .recovery(code.hash(of: person.id, in: scope.appID)),
                RateBudgets(narrow: earned.narrow, wide: earned.wide + [Limits.streak(of: person.id)]))
        }
        let budgets = Limits.factor(of: person.id, beside: proof)
        let (verdict, factor) = try await database.batch(in: scope, durability: .asynchronous) { batch in
            batch.spend(budgets, at: occasion.now).and(batch.factor(of: person.id))
        }
        if let refusal = Refusal(verdict) { return .refused(refusal) }
        guard let factor else { return .refused(Refusal(.invalidCode).counted(verdict)) }
        let seed = try seed(of: factor, in: scope)
        guard let step = seed.step(of: Self.digits(typed), at: occasion.now) else {
            return .refused(Refusal(.invalidCode).counted(verdict))
        }
        let resealed = try reseal(seed, factor, in: scope)
        return .right(.step(step, of: factor.id, resealed: resealed), mail.limits.earned(budgets, by: person.email))
    }

    /// Uses up what was found right; of any number of racing callers one does it.
    func use(
        _ proof: Proof, of person: Person, in transaction: AppTransaction, _ occasion: Occasion
    ) async throws -> Bool {
        switch proof {
        case .step(let step, let factor, let resealed):
            guard try await transaction.batch({ $0.takeStep(step, of: factor, at: occasion.now) }) else { return false }
            if let resealed { try await transaction.batch { $0.resealSeed(resealed, of: factor) } }
            return true
        case .recovery(let hash):
            let isUsed = try await transaction.batch {
                $0.consumeRecoveryCode(hash, of: person.id, at: occasion.now)
            }
            guard isUsed else { return false }
            try await transaction.batch { batch in
                batch.record(occasion.event(.recoveryCodeUsed, by: .user, userID: person.id))
                notify(person, .recoveryCodeUsed, in: &batch, occasion)
            }
            return true
        }
    }

    /// Owes the notice that tells a mailbox what became of its second factor.
    func notify(_ person: Person, _ change: FactorChange, in batch: inout AppBatch, _ occasion: Occasion) {
        batch.enqueue(
            .factorChanged, occasion.id(), to: person.id,
            recipientHash: keys.recipientHash(person.email, in: batch.scope.appID), change: change, at: occasion.now)
    }

    /// The seed of a row; throws `SealBroken` once the key that sealed it has been retired.
    ///
    /// That is an operator's mistake to be told in the log, and no wrong code of the user's.
    func seed(of factor: UserFactorRecord, in scope: AppScope) throws -> TOTPSeed {
        try TOTPSeed(opening: factor.seedSealed, of: factor.id, in: scope.appID, keys: keys)
    }

    /// What was typed without what people put between the digits.
    static func digits(_ typed: String) -> String { typed.filter { $0 != " " && $0 != "-" } }

    /// The seed under the key of today where it was sealed under an older one: a factor in use outlives its key.
    private func reseal(_ seed: TOTPSeed, _ factor: UserFactorRecord, in scope: AppScope) throws -> [UInt8]? {
        guard KeyRing.epoch(ofSealed: factor.seedSealed) != keys.currentEpoch else { return nil }
        return try seed.sealed(for: factor.id, in: scope.appID, keys: keys)
    }

    private func spend(
        _ budgets: RateBudgets, in scope: AppScope, _ occasion: Occasion
    ) async throws -> RateLimitVerdict {
        try await database.batch(in: scope, durability: .asynchronous) { $0.spend(budgets, at: occasion.now) }
    }
}

package import GatepostModel
import GatepostOutbox
package import GatepostStore
package import Passwords

/// What a signed-in user does with their second factor: looks at it, sets one up, replaces or removes it, and makes
/// other recovery codes.
///
/// Each change asks who it is again: for the password, or a recent sign-in where there is none, and, where there is a
/// second factor, for that as well (OWASP ASVS 7.5.1): a session that somebody left open changes nothing here.
package struct FactorFlow: Sendable {
    let mail: MailFlowParts
    let hasher: PasswordHasher
    private var parts: FactorParts { FactorParts(mail: mail) }

    /// Wires the flow.
    package init(mail: MailFlowParts, hasher: PasswordHasher) {
        (self.mail, self.hasher) = (mail, hasher)
    }

    /// A user's second factor as they see it.
    package struct State: Sendable {
        /// Nil for none.
        package let factor: UserFactorRecord?
        package let recoveryCodeCount: Int64
        /// Whether the app, or a role of the user's, asks for one.
        package let isRequired: Bool
        package let hasPassword: Bool
    }

    /// What a change came to.
    package enum Outcome<Value: Sendable>: Sendable {
        case done(Value)
        case refused(Refusal)
    }

    /// What a person proves anew before a change.
    package struct Proof: Sendable {
        package let password: Secret?
        /// Of the authenticator that there is, or a recovery code.
        package let code: String?

        /// Gathers what was typed.
        package init(password: Secret?, code: String?) {
            (self.password, self.code) = (password, code)
        }
    }

    /// A user's second factor.
    package func state(of user: UserID, in scope: AppScope) async throws -> State {
        try await mail.database.batch(in: scope) { batch in
            batch.factor(of: user).and(batch.recoveryCodeCount(of: user))
                .and(batch.requiresFactor(of: user).and(batch.passwordCredential(ofUser: user)))
                .map { read, further in
                    State(
                        factor: read.0, recoveryCodeCount: read.1, isRequired: further.0,
                        hasPassword: further.1?.passwordHash != nil)
                }
        }
    }

    /// Makes an authenticator that waits for its first code; the one that there is goes on until then.
    package func begin(
        for asking: Asking, _ proof: Proof, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome<WaitingFactor> {
        let occasion = mail.occasion(from: origin)
        switch try await prove(proof, asking, in: scope, occasion) {
        case .refused(let refusal): return .refused(try await refuse(refusal, asking, in: scope, occasion))
        case .done(let proved):
            let begun = try await mail.database.transaction(in: scope) { transaction -> WaitingFactor? in
                guard try await use(proved, in: transaction, occasion) else { return nil }
                return try await parts.begin(proved.person, by: asking.session.uuid, in: transaction, occasion)
            }
            guard let begun else {
                return .refused(try await refuse(Refusal(.invalidCode), asking, in: scope, occasion))
            }
            mail.signal.raise()
            return .done(begun)
        }
    }

    /// The authenticator that waits for its first code; nil if none does that this session has begun.
    package func waiting(for asking: Asking, in scope: AppScope) async throws -> WaitingFactor? {
        guard let person = Self.person(of: asking) else { return nil }
        return try await parts.waiting(person, by: asking.session.uuid, in: scope, at: mail.clock.now)
    }

    /// Takes the first code of the authenticator that waits, which is the user's own from here on.
    ///
    /// - Parameters:
    ///   - asking: Who, and from which session, which has proved a second factor by this.
    ///   - code: The code.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: The recovery codes, which nobody sees again, or why not.
    /// - Throws: `PostgresError`.
    package func confirm(
        for asking: Asking, code: String, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome<[RecoveryCode]> {
        let occasion = mail.occasion(from: origin)
        guard let person = Self.person(of: asking) else {
            return .refused(try await refuse(Refusal(.invalidFlow), asking, in: scope, occasion))
        }
        let first: (factor: UserFactorID, step: Int64)
        let tried = try await parts.tryFirst(code, of: person, by: asking.session.uuid, in: scope, occasion)
        switch tried {
        case .failure(let refused): return .refused(try await refuse(refused.refusal, asking, in: scope, occasion))
        case .success(let found): first = found
        }
        let codes = try await mail.database.transaction(in: scope) { transaction in
            try await parts.confirm(
                first, of: person, keeping: asking.session, epoch: asking.user.authEpoch, in: transaction,
                occasion)
        }
        guard let codes else { return .refused(try await refuse(Refusal(.invalidFlow), asking, in: scope, occasion)) }
        mail.signal.raise()
        return .done(codes)
    }

    /// Makes other recovery codes; the ones before work no more.
    package func replaceRecoveryCodes(
        for asking: Asking, _ proof: Proof, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome<[RecoveryCode]> {
        let codes = (0..<RecoveryCode.count).map { _ in RecoveryCode.make(random: mail.random) }
        let refusal = try await change(for: asking, proof, in: scope, from: origin) { person, batch, occasion in
            let app = batch.scope.appID
            batch.replaceRecoveryCodes(
                of: person.id, by: codes.map { $0.hash(of: person.id, in: app) }, at: occasion.now)
            batch.record(
                occasion.event(.recoveryCodesReplaced, by: .user, userID: person.id, sessionID: asking.session))
            parts.notify(person, .recoveryCodesReplaced, in: &batch, occasion)
        }
        return refusal.map { .refused($0) } ?? .done(codes)
    }

    /// Takes the second factor away, with its recovery codes; not where one is required.
    package func remove(
        for asking: Asking, _ proof: Proof, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Refusal? {
        let isRequired = try await mail.database.batch(in: scope) { $0.requiresFactor(of: asking.user.id) }
        guard !isRequired else {
            return try await refuse(
                Refusal(.factorRequired), asking, in: scope, mail.occasion(from: origin))
        }
        return try await change(for: asking, proof, in: scope, from: origin) { person, batch, occasion in
            _ = batch.deleteFactors(of: person.id)
            parts.endOthers(of: person, except: asking.session, .factorChanged, in: &batch, occasion)
            batch.keepSession(asking.session, of: person.id)
            batch.record(occasion.event(.factorRemoved, by: .user, userID: person.id, sessionID: asking.session))
            parts.notify(person, .removed, in: &batch, occasion)
        }
    }

    /// Carries out a change of the second factor that there is, once it and the first one are proved anew.
    private func change(
        for asking: Asking, _ proof: Proof, in scope: AppScope, from origin: RequestOrigin,
        _ body: @Sendable (FactorParts.Person, inout AppBatch, Occasion) -> Void
    ) async throws -> Refusal? {
        let occasion = mail.occasion(from: origin)
        let proved: Proved
        switch try await prove(proof, asking, in: scope, occasion) {
        case .refused(let refusal): return try await refuse(refusal, asking, in: scope, occasion)
        case .done(let value): proved = value
        }
        guard proved.factor != nil else {
            return try await refuse(Refusal(.factorMissing), asking, in: scope, occasion)
        }
        let isDone = try await mail.database.transaction(in: scope) { transaction in
            guard try await use(proved, in: transaction, occasion) else { return false }
            try await transaction.batch { body(proved.person, &$0, occasion) }
            return true
        }
        guard isDone else { return try await refuse(Refusal(.invalidCode), asking, in: scope, occasion) }
        mail.signal.raise()
        return nil
    }

    private func refuse(
        _ refusal: Refusal, _ asking: Asking, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Refusal {
        try await mail.record(refusal, as: .factorRefused, in: scope, occasion, user: asking.user.id)
        return refusal
    }

    private static func person(of asking: Asking) -> FactorParts.Person? {
        EmailAddress(asking.user.email).map { FactorParts.Person(id: asking.user.id, email: $0) }
    }
}

/// Asking a signed-in user who they are again.
extension FactorFlow {
    /// What was found right, and what of it is to be used up.
    struct Proved: Sendable {
        let person: FactorParts.Person
        let epoch: Int32
        let factor: FactorParts.Proof?
        let budgets: [RateBudgets]
    }

    /// Compares the password and, where there is a second factor, a code of it.
    ///
    /// Uses nothing up, and counts no try where the code is missing.
    private func prove(
        _ proof: Proof, _ asking: Asking, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Outcome<Proved> {
        guard let person = Self.person(of: asking) else { return .refused(Refusal(.sessionEnded)) }
        let hasFactor = try await mail.database.batch(in: scope) { $0.factor(of: person.id) } != nil
        let code = proof.code ?? ""
        guard !hasFactor || !code.isEmpty else { return .refused(Refusal(.invalidCode)) }
        let spent: RateBudgets
        switch try await mail.prove(proof.password, asking, hasher: hasher, in: scope, occasion) {
        case .refused(let refusal): return .refused(refusal)
        case .proved(_, let budgets): spent = budgets
        }
        guard hasFactor else {
            return .done(Proved(person: person, epoch: asking.user.authEpoch, factor: nil, budgets: [spent]))
        }
        switch try await parts.tryCode(code, of: person, in: scope, occasion) {
        case .refused(let refusal): return .refused(refusal)
        case .right(let factor, let further):
            return .done(
                Proved(person: person, epoch: asking.user.authEpoch, factor: factor, budgets: [spent, further]))
        }
    }

    /// Uses up what was proved, and gives back what that has spent.
    private func use(
        _ proved: Proved, in transaction: AppTransaction, _ occasion: Occasion
    ) async throws -> Bool {
        guard try await transaction.batch({ $0.lockForFactors(proved.person.id, epoch: proved.epoch) }) else {
            return false
        }
        if let factor = proved.factor {
            guard try await parts.use(factor, of: proved.person, in: transaction, occasion) else { return false }
        }
        try await transaction.batch { batch in
            for budgets in proved.budgets { batch.refund(budgets, at: occasion.now) }
        }
        return true
    }
}

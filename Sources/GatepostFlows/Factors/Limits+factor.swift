import GatepostModel
import GatepostStore

extension Limits {
    /// Wrong codes of one user's authenticator, from wherever.
    static let factorTries = RateLimit("factor", tries: 20, per: .hours(1))
    /// Wrong codes of one user's authenticator in a row, from wherever.
    ///
    /// Three codes of a million are right at a time, so fifty guesses find one in seven thousand cases. Only whoever
    /// knows the password gets here, so it keeps nobody out whom a stranger has picked; a recovery code still works.
    static let factorStreak = RateLimit("factor.streak", tries: 50, per: .days(30), memory: .streak)

    /// What a try at an authenticator's code spends, before it is compared.
    ///
    /// - Parameters:
    ///   - user: Whose.
    ///   - proof: What a try at any factor spends; nil for an authenticator's first code, which guesses nothing.
    /// - Returns: Both together.
    static func factor(of user: UserID, beside proof: RateBudgets?) -> RateBudgets {
        let own = [RateBudget(factorTries, for: "\(user)"), RateBudget(factorStreak, for: "\(user)")]
        guard let proof else { return RateBudgets(narrow: own) }
        return RateBudgets(narrow: proof.narrow, wide: proof.wide + own)
    }
}

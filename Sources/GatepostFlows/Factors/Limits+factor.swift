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

    /// What a try at an authenticator's code spends, before it is compared, beside what a try at any factor does.
    static func factor(of user: UserID, beside proof: RateBudgets) -> RateBudgets {
        RateBudgets(narrow: proof.narrow, wide: proof.wide + factor(of: user).narrow)
    }

    /// What is counted of one user's authenticator alone: given back once another one takes its place, or the codes
    /// were found to be its owner's.
    static func factor(of user: UserID) -> RateBudgets {
        RateBudgets(narrow: firstCode(of: user).narrow + [streak(of: user)])
    }

    /// The wrong codes of one user's authenticator in a row: ended by whoever proves the factor otherwise.
    static func streak(of user: UserID) -> RateBudget { RateBudget(factorStreak, for: "\(user)") }

    /// What a try at the first code of an authenticator spends: not the tries in a row, for it guesses nothing, and
    /// whoever has no other way in than to set one up would be kept out by them.
    static func firstCode(of user: UserID) -> RateBudgets {
        RateBudgets(narrow: [RateBudget(factorTries, for: "\(user)")])
    }
}

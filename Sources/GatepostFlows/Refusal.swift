package import GatepostModel
package import GatepostStore

/// Why a flow said no.
///
/// A value and not an error: throwing would roll the transaction back, and a refused attempt has to stay
/// counted and recorded.
package struct Refusal: Sendable, Equatable {
    package let code: ProblemCode
    /// When another try makes sense, for limits and a busy server.
    package let retryAfter: Duration?
    /// More for the person who reads it, such as which rule a password broke; never a value that was sent.
    package let detail: String?
    /// The same as a code, `too_short`, for pages that have the words in another language.
    package var detailCode: String?
    /// The number that belongs to the detail, such as the least length.
    package var detailNumber: Int?
    /// The limit that the try was counted against, and what is left of it.
    package var limit: RateLimitVerdict?

    /// Refuses with a code.
    package init(_ code: ProblemCode, retryAfter: Duration? = nil, detail: String? = nil) {
        (self.code, self.retryAfter, self.detail) = (code, retryAfter, detail)
    }

    /// Refuses, and says more.
    package init(_ detail: ProblemDetail) {
        self.init(detail.code, detail: detail.text)
        detailCode = detail.rawValue
    }

    /// There is no room for one more hash; in a moment there may be.
    static var busy: Refusal { Refusal(.busy, retryAfter: .seconds(1)) }

    /// A client of somebody else's has no screens on which people prove who they are: they are asked on ours.
    static var hostedPagesOnly: Refusal {
        Refusal(.permissionDenied, detail: "A third-party client signs people in on the hosted pages.")
    }

    /// The refusal that a limit's verdict means; nil where it allows.
    init?(_ verdict: RateLimitVerdict) {
        guard !verdict.isAllowed else { return nil }
        // What a person does whose address strangers have guessed at for long.
        let detail: ProblemDetail? =
            verdict.limit == Limits.factorStreak ? .recoveryWay : verdict.limit.memory == .streak ? .wayIn : nil
        self.init(.rateLimited, retryAfter: verdict.resetsAfter, detail: detail?.text)
        (detailCode, limit) = (detail?.rawValue, verdict)
    }

    /// The same refusal of a try that was counted, with what is left.
    func counted(_ verdict: RateLimitVerdict) -> Refusal {
        var refusal = self
        refusal.limit = verdict
        return refusal
    }
}

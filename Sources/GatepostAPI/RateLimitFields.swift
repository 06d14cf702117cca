import GatepostModel
import GatepostStore
import HTTPTypes

extension HTTPFields {
    /// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10): the limit that a try was counted
    /// against, what is left of it and in how many seconds all is back.
    ///
    /// They say what the caller's own tries have left. What an address has left for everybody is told only to whom it
    /// refuses: it would tell what others do.
    init(_ verdict: RateLimitVerdict) {
        self.init()
        let limit = verdict.limit
        self[.rateLimitPolicy] = "\"\(limit.name)\";q=\(limit.tries);w=\(limit.window.wholeSecondsUp)"
        self[.rateLimit] = "\"\(limit.name)\";r=\(verdict.remaining);t=\(verdict.resetsAfter.wholeSecondsUp)"
    }
}

extension HTTPField.Name {
    /// Names that are made of letters and hyphens always exist.
    fileprivate static let rateLimit = HTTPField.Name("RateLimit") ?? .eTag
    fileprivate static let rateLimitPolicy = HTTPField.Name("RateLimit-Policy") ?? .eTag
}

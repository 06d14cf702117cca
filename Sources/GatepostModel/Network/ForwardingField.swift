/// The header field in which trusted proxies say whom they heard from.
///
/// One of the two and never both: what a proxy does not write itself it passes on as a caller wrote it.
package enum ForwardingField: String, Sendable, CaseIterable {
    /// What nearly every proxy writes.
    case xForwardedFor = "x-forwarded-for"
    /// RFC 7239.
    case forwarded

    /// As it is written.
    package var name: String {
        switch self {
        case .xForwardedFor: "X-Forwarded-For"
        case .forwarded: "Forwarded"
        }
    }
}

import GatepostStore

/// Where a page's form may lead in the end, for the page's policy.
///
/// Browsers hold `form-action` against each redirect that follows a form, and the way from a sign-in leads to a client,
/// and often from there to another address of its own. So a page of a sign-in lets its forms end at any `https`
/// address, and at what the one client is registered with beside that (decision 19).
enum FormTargets {
    /// The targets of a page on which somebody signs in.
    static func targets(of request: AuthorizationRequestRecord?, isDevelopment: Bool) -> [String] {
        targets(to: request?.redirectURI, isDevelopment: isDevelopment)
    }

    /// The targets of a page whose form ends at a client's address.
    static func targets(to redirectURI: String?, isDevelopment: Bool) -> [String] {
        var targets = ["https:"]
        let scheme = redirectURI.map { String($0.prefix { $0 != ":" }) }
        // A policy has no form for an IPv6 address.
        if redirectURI?.hasPrefix("http://[") == true { targets.append("http:") }
        if scheme == "http" || isDevelopment { targets += ["http://localhost:*", "http://127.0.0.1:*"] }
        if let scheme, scheme != "http", scheme != "https" { targets.append("\(scheme):") }
        return targets
    }
}

/// Where a script may run that reads our answers: scheme, host and port, as a browser's `Origin` states them.
///
/// Compared byte for byte, so it is taken only as browsers write it: in small letters, without a path and without the
/// port that the scheme has anyway. `null`, which any sandboxed page sends, is none.
package struct WebOrigin: Hashable, Sendable {
    /// As registered.
    package let text: String

    /// Checks an origin that is to be registered; nil where it must not be.
    package init?(_ text: String) {
        // What holds for a redirect URI holds here: https, or http on loopback, no user information, no wildcard.
        guard RedirectURI(text + "/") != nil, text == text.lowercased(),
            let scheme = ["https://", "http://"].first(where: text.hasPrefix)
        else { return nil }
        let authority = text.dropFirst(scheme.utf8.count)
        guard !authority.isEmpty, !authority.contains("/"), !authority.contains("?"), !authority.contains(";"),
            !authority.hasSuffix(":"), !authority.hasSuffix(scheme == "https://" ? ":443" : ":80")
        else { return nil }
        self.text = text
    }
}

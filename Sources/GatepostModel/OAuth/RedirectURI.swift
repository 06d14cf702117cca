/// Where a client may be sent back to, as registered.
///
/// Compared byte for byte (RFC 9700, section 2.1): no prefix, no pattern, no normalisation, because every one
/// of those has let an attacker's URL through somewhere. The one exception is the port of a loopback address
/// literal, which a native app learns only when it starts (RFC 8252, section 7.3).
package struct RedirectURI: Hashable, Sendable, CustomStringConvertible {
    /// The longest URI in bytes.
    package static let bytesMax = 2000

    /// The URI as registered.
    package let text: String

    /// Checks a URI that is to be registered; nil where it must not be.
    ///
    /// Taken: `https://host…`, `http://` for loopback only, and a private-use scheme with a dot in it
    /// (`com.example.app:/path`, RFC 8252, section 7.1). Refused: fragments, user information, wildcards,
    /// control characters, spaces, backslashes, non-ASCII.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\\\"<>^`{|}*#@".utf8.contains($0) }),
            let colon = text.firstIndex(of: ":")
        else { return nil }
        let scheme = text[..<colon]
        let rest = text[text.index(after: colon)...]
        switch scheme {
        case "https":
            guard let host = Self.host(of: rest), !host.isEmpty else { return nil }
        case "http":
            guard let host = Self.host(of: rest), Self.loopbackHosts.contains(host) else { return nil }
        default:
            guard scheme.contains("."), scheme.utf8.allSatisfy(Self.isSchemeCharacter), rest.hasPrefix("/") else {
                return nil
            }
        }
        guard !text.contains("/../"), !text.contains("/./"), !text.contains(";/") else { return nil }
        self.text = text
    }

    package var description: String { text }

    /// Whose it is, for people: the host, or the scheme of an app's own.
    package var place: String {
        let (scheme, rest) = (text.prefix { $0 != ":" }, text.drop { $0 != ":" }.dropFirst())
        return ["https", "http"].contains(scheme) ? Self.host(of: rest).map(String.init) ?? text : String(scheme)
    }

    /// Whether a URI that a request presents is this one.
    package func matches(_ presented: String) -> Bool {
        if presented == text, Array(presented.utf8) == Array(text.utf8) { return true }
        // A port has five digits at most.
        guard presented.utf8.count <= text.utf8.count + 6 else { return false }
        guard let mine = Self.loopback(text), let theirs = Self.loopback(presented) else { return false }
        return mine.host == theirs.host && Array(mine.tail.utf8) == Array(theirs.tail.utf8)
    }

    private static let loopbackHosts: Set<Substring> = ["127.0.0.1", "[::1]", "localhost"]

    private static func isSchemeCharacter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }

    /// The host of `//host:port/…`, without the port; nil where the authority is not of that form.
    private static func host(of rest: Substring) -> Substring? {
        guard rest.hasPrefix("//") else { return nil }
        let authority = rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" }
        let bracket = authority.lastIndex(of: "]") ?? authority.startIndex
        guard let colon = authority[bracket...].firstIndex(of: ":") else { return authority }
        let port = authority[authority.index(after: colon)...]
        return !port.isEmpty && port.utf8.allSatisfy({ (48...57).contains($0) }) ? authority[..<colon] : nil
    }

    /// Host and what follows the port, of `http://` on a loopback address literal (never `localhost`).
    private static func loopback(_ text: String) -> (host: Substring, tail: Substring)? {
        guard text.hasPrefix("http://") else { return nil }
        let rest = text.dropFirst(5)
        guard let host = host(of: rest), host == "127.0.0.1" || host == "[::1]" else { return nil }
        let afterHost = rest.dropFirst(2 + host.count)
        return (host, afterHost.hasPrefix(":") ? afterHost.dropFirst().drop { $0.isNumber } : afterHost)
    }
}

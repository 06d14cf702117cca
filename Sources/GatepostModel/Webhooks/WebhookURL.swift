import DomainNames

/// Where an app wants its notices, checked when it is written down.
///
/// Taken: `https://`, a host name of at least two labels (IDNA 2008), a port that no other service has, a path and a
/// query. Refused: user information, a fragment, any address in place of a name, `localhost`, and whatever two
/// programs could read differently. This is for the person who types it; what is dialled is decided anew each time,
/// on the address itself, by the delivery's guard.
package struct WebhookURL: Hashable, Sendable, CustomStringConvertible {
    /// The longest URL in bytes.
    package static let bytesMax = 2000
    /// The ports below 1024 that may be named: the rest belong to services that speak something else.
    package static let lowPorts: Set<Int> = [80, 443]

    /// The URL that is dialled: the host in ASCII and lower case, the rest as it was written.
    package let text: String

    /// Checks a URL; nil where it must not be called.
    ///
    /// - Parameters:
    ///   - text: The URL as somebody wrote it.
    ///   - allowsPrivate: Whether the configuration names private destinations, as in dev: then plain `http://`,
    ///     addresses and names of one label are taken too, and the delivery's guard alone decides.
    package init?(_ text: String, allowsPrivate: Bool) {
        guard text.utf8.count <= Self.bytesMax,
            let scheme = ["https://", "http://"].first(where: { text.lowercased().hasPrefix($0) }),
            scheme == "https://" || allowsPrivate
        else { return nil }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(authority.count)
        guard Self.isPlain(path), let (host, port) = Self.split(authority),
            let name = Self.host(String(host), allowsPrivate: allowsPrivate)
        else { return nil }
        if let port, !Self.isAllowed(port) { return nil }
        let whole = scheme + name + (port.map { ":\($0)" } ?? "") + path
        guard whole.utf8.count <= Self.bytesMax else { return nil }
        self.text = whole
    }

    package var description: String { text }

    /// Visible ASCII without what a parser might take for something else.
    private static func isPlain(_ path: Substring) -> Bool {
        path.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"\\\"<>^`{|}#".utf8.contains($0) }
    }

    /// Host and port of an authority; nil where the port is no plain number, or there is more than the two.
    private static func split(_ authority: Substring) -> (host: Substring, port: Int?)? {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            let host = authority[...end]
            return port(authority[authority.index(after: end)...]).map { (host, $0) }
        }
        let host = authority.prefix { $0 != ":" }
        return port(authority.dropFirst(host.count)).map { (host, $0) }
    }

    /// The number behind the colon; an inner nil for none, an outer one for what is no port.
    private static func port(_ text: Substring) -> Int?? {
        guard let colon = text.first else { return .some(nil) }
        let digits = text.dropFirst()
        guard colon == ":", (1...5).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits.first != "0", let port = Int(digits)
        else { return nil }
        return .some(port)
    }

    private static func isAllowed(_ port: Int) -> Bool {
        lowPorts.contains(port) || (1024...65535).contains(port)
    }

    private static func host(_ text: String, allowsPrivate: Bool) -> String? {
        if allowsPrivate, isStrictAddress(text) { return text }
        guard let name = DomainName.ascii(text) else { return nil }
        let labels = name.split(separator: ".")
        // What ends in a number is an address to some resolvers, in hexadecimal too: `0x7f.1`, `0x7f000001`.
        guard let last = labels.last, !isNumber(last) else { return nil }
        if allowsPrivate { return name }
        return labels.count >= 2 && last != "localhost" ? name : nil
    }

    private static func isNumber(_ label: Substring) -> Bool {
        let digits = label.hasPrefix("0x") ? label.dropFirst(2) : label
        let isHexadecimal = label.hasPrefix("0x")
        return digits.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (isHexadecimal && (0x61...0x66).contains(byte))
        }
    }

    /// Four decimal numbers, or what stands in brackets and may be an IPv6 address; the delivery parses it.
    private static func isStrictAddress(_ text: String) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") {
            return text.utf8.dropFirst().dropLast().allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || ":.".utf8.contains(byte)
            }
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
                    && (part.utf8.count == 1 || part.first != "0") && Int(part).map { $0 <= 255 } == true
            }
    }
}

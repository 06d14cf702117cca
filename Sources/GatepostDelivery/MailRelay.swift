import Curl
package import GatepostModel

/// The relay that takes our mails, as an operator names it.
package struct MailRelay: Sendable {
    let relay: SMTPRelay

    /// Reads the settings; nil for an address that is not `smtp://host[:port]` or `smtps://host[:port]`.
    ///
    /// Credentials are never part of the address: it is printed.
    ///
    /// - Parameters:
    ///   - url: Where the relay is; 587 unless it says otherwise, 465 with `smtps`.
    ///   - login: Name and password, for a relay that asks.
    ///   - requiresTLS: Whether a mail waits rather than travel in the clear; nil requires it except to loopback.
    ///   - caBundlePath: Whom to trust instead of the system's authorities.
    ///   - ehloName: What we call ourselves.
    package init?(
        url: String, login: (name: String, password: Secret)? = nil, requiresTLS: Bool? = nil,
        caBundlePath: String? = nil, ehloName: String = "localhost"
    ) {
        guard let scheme = ["smtp://", "smtps://"].first(where: url.hasPrefix) else { return nil }
        let authority = url.dropFirst(scheme.count)
        let bracket = authority.lastIndex(of: "]") ?? authority.startIndex
        let colon = authority[bracket...].firstIndex(of: ":")
        let host = authority[..<(colon ?? authority.endIndex)].filter { $0 != "[" && $0 != "]" }
        let isTLS = scheme == "smtps://"
        let port = colon.map { UInt16(authority[authority.index(after: $0)...]) } ?? (isTLS ? 465 : 587)
        guard let port, port > 0, !host.isEmpty, host.utf8.allSatisfy(Self.isHostCharacter) else { return nil }
        relay = SMTPRelay(
            host: host, port: port,
            security: isTLS ? .tls : requiresTLS ?? !Self.isLoopback(host) ? .startTLS : .none,
            login: login.map { SMTPRelay.Login(username: $0.name, password: $0.password.revealed) },
            ehloName: ehloName, caBundlePath: caBundlePath)
    }

    /// Whether mail to the host stays on this machine.
    ///
    /// Of names only `localhost` is sure to (RFC 6761, section 6.3); `127.relay.example` is one that anybody may own.
    private static func isLoopback(_ host: String) -> Bool {
        guard let bytes = SocketAddress.bytes(of: host) else { return host == "localhost" }
        let loopback: [AddressRange] = [.ipv4(127, 0, 0, 0, 8), .ipv6([0, 0, 0, 0, 0, 0, 0, 1], 128)]
        return loopback.contains { $0.contains(bytes) }
    }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"):
            true
        default: false
        }
    }
}

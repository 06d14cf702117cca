package import Curl
package import GatepostModel

/// Decides whether an address may be dialled on behalf of an app: only public ones.
///
/// A webhook's URL is somebody else's text. Filters on that text fail (`2130706433`, `127.1`, `[::ffff:7f00:1]`,
/// full-width digits and a name that resolves differently the second time all reach loopback; measured), so the
/// decision is made on the address that is about to be dialled, each time.
package struct AddressGuard: Sendable {
    /// Networks that are not public and may be dialled all the same, in dev and in tests.
    private let privateAllowed: [AddressRange]

    /// Makes a guard.
    ///
    /// - Parameter privateAllowed: Exceptions; none in production unless an operator has named them.
    package init(privateAllowed: [AddressRange] = []) {
        self.privateAllowed = privateAllowed
    }

    /// Whether the address may be dialled.
    package func allows(_ address: SocketAddress) -> Bool {
        switch address.family {
        case .ipv4 where address.bytes.count == 4:
            isExcepted(address.bytes) || Self.isPublicIPv4(address.bytes)
        case .ipv6 where address.bytes.count == 16:
            isExcepted(address.bytes) || allowsIPv6(address.bytes)
        default:
            false
        }
    }

    /// An IPv4 address inside an IPv6 one is where the connection ends, so it is judged like the plain one.
    private func allowsIPv6(_ bytes: [UInt8]) -> Bool {
        if Self.mapped.contains(bytes) || Self.translated.contains(bytes) {
            let inner = Array(bytes[12...])
            return isExcepted(inner) || Self.isPublicIPv4(inner)
        }
        return Self.globalUnicast.contains(bytes) && !Self.specialIPv6.contains { $0.contains(bytes) }
    }

    private func isExcepted(_ bytes: [UInt8]) -> Bool {
        privateAllowed.contains { $0.contains(bytes) }
    }

    private static func isPublicIPv4(_ bytes: [UInt8]) -> Bool {
        !specialIPv4.contains { $0.contains(bytes) }
    }

    /// The IPv4 special-purpose registry of IANA (RFC 6890 and its updates), without the few globally reachable
    /// exceptions in 192.0.0.0/24: nobody receives webhooks there.
    private static let specialIPv4: [AddressRange] = [
        .ipv4(0, 0, 0, 0, 8),  // this network, RFC 791
        .ipv4(10, 0, 0, 0, 8),  // private, RFC 1918
        .ipv4(100, 64, 0, 0, 10),  // carrier-grade NAT, RFC 6598
        .ipv4(127, 0, 0, 0, 8),  // loopback, RFC 1122
        .ipv4(169, 254, 0, 0, 16),  // link-local, and the metadata services of clouds
        .ipv4(172, 16, 0, 0, 12),  // private, RFC 1918
        .ipv4(192, 0, 0, 0, 24),  // protocol assignments, RFC 6890
        .ipv4(192, 0, 2, 0, 24),  // documentation, RFC 5737
        .ipv4(192, 31, 196, 0, 24),  // AS112, RFC 7535
        .ipv4(192, 52, 193, 0, 24),  // AMT, RFC 7450
        .ipv4(192, 88, 99, 0, 24),  // 6to4 relay, RFC 7526
        .ipv4(192, 168, 0, 0, 16),  // private, RFC 1918
        .ipv4(192, 175, 48, 0, 24),  // AS112, RFC 7534
        .ipv4(198, 18, 0, 0, 15),  // benchmarks, RFC 2544
        .ipv4(198, 51, 100, 0, 24),  // documentation, RFC 5737
        .ipv4(203, 0, 113, 0, 24),  // documentation, RFC 5737
        .ipv4(224, 0, 0, 0, 4),  // multicast, RFC 5771
        .ipv4(240, 0, 0, 0, 4),  // reserved, and broadcast
    ]

    private static let mapped = AddressRange.ipv6([0, 0, 0, 0, 0, 0xffff], 96)
    /// NAT64 with the well-known prefix (RFC 6052).
    private static let translated = AddressRange.ipv6([0x64, 0xff9b, 0, 0, 0, 0], 96)
    /// All that is handed out (RFC 4291); loopback, link-local, unique local, multicast and `::/96` lie outside.
    private static let globalUnicast = AddressRange.ipv6([0x2000], 3)
    /// What lies in 2000::/3 and is not an ordinary host's.
    private static let specialIPv6: [AddressRange] = [
        .ipv6([0x2001], 23),  // protocol assignments with Teredo, benchmarks and ORCHID, RFC 2928
        .ipv6([0x2001, 0xdb8], 32),  // documentation, RFC 3849
        .ipv6([0x2002], 16),  // 6to4, which holds an IPv4 address, RFC 3056
        .ipv6([0x2620, 0x4f, 0x8000], 48),  // AS112, RFC 7534
        .ipv6([0x3fff], 20),  // documentation, RFC 9637
        .ipv6([0x3ffe], 16),  // the 6bone that was, RFC 3701
    ]
}

/// A network in CIDR form: the addresses that share their first bits.
package struct AddressRange: Hashable, Sendable {
    private let bytes: [UInt8]
    private let prefixLength: Int

    /// Reads `127.0.0.0/8`, `fd00::/8` or a single address; nil for anything else, host bits included.
    ///
    /// A range with bits set behind its prefix is a mistake of the operator's (`10.0.0.1/8`), not to be guessed at.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let bytes = IPAddress(parts[0])?.bytes else { return nil }
        var length = bytes.count * 8
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let stated = Int(parts[1]),
                stated <= length
            else { return nil }
            length = stated
        }
        self.init(bytes, length)
        guard Self.masked(bytes, length) == bytes else { return nil }
    }

    private init(_ bytes: [UInt8], _ prefixLength: Int) {
        (self.bytes, self.prefixLength) = (bytes, prefixLength)
    }

    /// Whether the address, in network order, lies in the range.
    ///
    /// IPv4 and IPv6 never match each other.
    package func contains(_ address: [UInt8]) -> Bool {
        address.count == bytes.count && Self.masked(address, prefixLength) == bytes
    }

    /// Whether the address lies in the range.
    package func contains(_ address: IPAddress) -> Bool { contains(address.bytes) }

    /// An IPv4 network.
    package static func ipv4(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8, _ length: Int)
        -> AddressRange
    {
        AddressRange([first, second, third, fourth], length)
    }

    /// An IPv6 network by the leading groups of its address, the rest being zero.
    package static func ipv6(_ groups: [UInt16], _ length: Int) -> AddressRange {
        let leading = groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        return AddressRange(leading + Array(repeating: 0, count: 16 - leading.count), length)
    }

    private static func masked(_ bytes: [UInt8], _ length: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let kept = min(8, max(0, length - index * 8))
            return kept == 0 ? 0 : byte & (0xff << (8 - UInt8(kept)))
        }
    }
}

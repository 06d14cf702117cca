/// An address of IPv4 or IPv6, read strictly and written in one way.
///
/// Limits and audit events compare addresses as texts, so an address has one spelling here (RFC 5952), and an IPv4
/// address that came inside an IPv6 one (`::ffff:192.0.2.7`, on a socket that takes both) is the IPv4 address.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes in network order.
    package let bytes: [UInt8]

    /// Reads four decimal parts, or IPv6 without brackets and zone; nil for `127.1`, `0x7f.1` and anything else.
    package init?(_ text: some StringProtocol) {
        let text = Array(text.utf8)
        guard let bytes = text.contains(Self.colon) ? Self.ipv6(text) : Self.ipv4(text[...]) else { return nil }
        self.bytes = Self.isMapped(bytes) ? Array(bytes[12...]) : bytes
    }

    /// The part of the network that one subscriber has: an IPv4 address, or the first 64 bits of an IPv6 one.
    ///
    /// Whoever has one address of a /64 has all of it (RFC 6177), so counting single ones would count nothing.
    package var subscriber: String {
        guard bytes.count == 16 else { return description }
        return Self.text(Array(bytes.prefix(8)) + Array(repeating: 0, count: 8)) + "/64"
    }

    package var description: String {
        bytes.count == 4 ? bytes.map(String.init).joined(separator: ".") : Self.text(bytes)
    }

    private static let colon = UInt8(ascii: ":")

    private static func isMapped(_ bytes: [UInt8]) -> Bool {
        bytes.count == 16 && bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
    }

    private static func ipv4(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let bytes = parts.compactMap { part -> UInt8? in
            // A leading zero means octal to some and nothing to others.
            guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }),
                part.count == 1 || part.first != 0x30
            else { return nil }
            return UInt8(String(decoding: part, as: UTF8.self))
        }
        return bytes.count == 4 ? bytes : nil
    }

    /// RFC 4291, section 2.2: eight groups, one run of zeros as `::`, the last two groups perhaps as IPv4.
    private static func ipv6(_ text: [UInt8]) -> [UInt8]? {
        var halves: [[UInt8]] = [[]]
        var rest = text[...]
        if rest.starts(with: [colon, colon]) {
            (halves, rest) = ([[], []], rest.dropFirst(2))
        }
        while !rest.isEmpty {
            let group = rest.prefix { $0 != colon }
            rest = rest.dropFirst(group.count)
            guard let bytes = rest.isEmpty && group.contains(UInt8(ascii: ".")) ? ipv4(group) : hexadecimal(group)
            else { return nil }
            halves[halves.count - 1] += bytes
            if rest.starts(with: [colon, colon]) {
                guard halves.count == 1 else { return nil }
                halves.append([])
                rest = rest.dropFirst(2)
            } else if !rest.isEmpty {
                rest = rest.dropFirst()
                guard !rest.isEmpty else { return nil }
            }
        }
        let count = halves.joined().count
        guard halves.count == 2 ? count < 16 : count == 16 else { return nil }
        return halves[0] + Array(repeating: 0, count: 16 - count) + (halves.count == 2 ? halves[1] : [])
    }

    private static func hexadecimal(_ group: ArraySlice<UInt8>) -> [UInt8]? {
        let isDigits = group.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }
        guard (1...4).contains(group.count), isDigits,
            let value = UInt16(String(decoding: group, as: UTF8.self), radix: 16)
        else { return nil }
        return [UInt8(value >> 8), UInt8(value & 0xff)]
    }

    /// RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`, the first of equals.
    private static func text(_ bytes: [UInt8]) -> String {
        let groups = (0..<8).map { UInt16(bytes[$0 * 2]) << 8 | UInt16(bytes[$0 * 2 + 1]) }
        var longest = 0..<0
        for start in groups.indices {
            let length = groups[start...].prefix { $0 == 0 }.count
            if length >= 2, length > longest.count { longest = start..<start + length }
        }
        func joined(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !longest.isEmpty else { return joined(groups[...]) }
        return joined(groups[..<longest.lowerBound]) + "::" + joined(groups[longest.upperBound...])
    }
}

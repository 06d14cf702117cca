internal import CLibidn2

/// Domain names as mail and HTTP put them on the wire.
package enum DomainName {
    /// The longest name in bytes (RFC 1035, section 2.3.4, without the root's dot).
    package static let bytesMax = 253
    /// The longest label in bytes.
    package static let labelBytesMax = 63

    /// The name in ASCII and lower case, by IDNA 2008 (non-transitional); nil where it does not convert.
    ///
    /// Afterwards each label must be letters, digits and inner hyphens, which libidn2 does not insist on, and the
    /// last one not a number: `127.1` is an address to some resolvers.
    package static func ascii(_ domain: String) -> String? {
        guard domain.utf8.count <= bytesMax * 4, !domain.utf8.contains(0), let converted = convert(domain) else {
            return nil
        }
        let name = converted.lowercased()
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard name.utf8.count <= bytesMax, labels.allSatisfy(isLabel), let last = labels.last,
            !last.allSatisfy(isDigit)
        else { return nil }
        return name
    }

    private static func convert(_ domain: String) -> String? {
        var output: UnsafeMutablePointer<CChar>?
        let flags = CInt(bitPattern: UInt32(IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue))
        let code = unsafe domain.withCString { unsafe idn2_to_ascii_8z($0, &output, flags) }
        guard code == 0, let output = unsafe output else { return nil }
        defer { unsafe idn2_free(output) }
        return unsafe String(cString: output)
    }

    private static func isLabel(_ label: Substring.UTF8View) -> Bool {
        (1...labelBytesMax).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            && label.allSatisfy {
                isDigit($0) || $0 == UInt8(ascii: "-") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
            }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

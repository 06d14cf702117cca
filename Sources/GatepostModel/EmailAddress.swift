import DomainNames

/// An address that a mail can be sent to without doing harm.
///
/// libcurl 7.88 passes CR LF in a recipient on to the wire, where one "address" becomes a second `RCPT TO`
/// (CVE class of GHSA-c7w3-x93f-qmm8). So an address that holds control characters, spaces or angle brackets
/// cannot exist as this type; the delivery and a check constraint look again.
///
/// Taken: a dot-atom before the `@` (RFC 5321, section 4.1.2; no quoted strings, no SMTPUTF8), a domain name
/// that IDNA 2008 converts. At most 64 bytes before the `@` and 254 in all (RFC 5321, section 4.5.3.1).
package struct EmailAddress: Hashable, Sendable, CustomStringConvertible {
    /// The longest address in bytes.
    package static let bytesMax = 254

    /// As typed before the `@`, and the domain in ASCII: the form that goes on the envelope.
    package let ascii: String

    /// The form that is unique in an app: all in lower case.
    ///
    /// No provider's habits are applied (dots, plus tags): two addresses that a provider may deliver to one
    /// mailbox stay two users.
    package var canonical: String { ascii.lowercased() }

    /// Reads an address as a person typed it; nil where it is not one.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax * 4, let at = text.lastIndex(of: "@") else { return nil }
        let local = text[..<at]
        guard (1...64).contains(local.utf8.count), Self.isDotAtom(local),
            let domain = DomainName.ascii(String(text[text.index(after: at)...])), domain.contains(".")
        else { return nil }
        let ascii = "\(local)@\(domain)"
        guard ascii.utf8.count <= Self.bytesMax else { return nil }
        self.ascii = ascii
    }

    package var description: String { ascii }

    /// RFC 5322, section 3.2.3: atext in runs, one dot between two runs.
    private static func isDotAtom(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { run in
            !run.isEmpty && run.utf8.allSatisfy(isAtomCharacter)
        }
    }

    private static func isAtomCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
        }
    }
}

import Foundation

/// A signed token taken apart, with nothing believed: for whoever wants to see what it says.
public struct TokenText: Sendable {
    /// The longest token that is looked at, in bytes.
    public static let bytesMax = 8192

    /// The header, JSON.
    public let header: [UInt8]
    /// The claims, JSON.
    public let payload: [UInt8]

    /// Takes a token apart; nil for what is not three texts in base 64 for URLs, each written in the one right way.
    public init?(_ token: String) {
        guard token.utf8.count <= Self.bytesMax else { return nil }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.decode(parts[0]), let payload = Self.decode(parts[1]),
            Self.decode(parts[2]) != nil
        else { return nil }
        (self.header, self.payload) = (header, payload)
    }

    /// Decodes base 64 for URLs without padding; nil for any other spelling of the same bytes (RFC 8725, section 3.8).
    private static func decode(_ text: Substring) -> [UInt8]? {
        guard text.utf8.allSatisfy({ isDigit($0) }) else { return nil }
        var plain = text.replacing("-", with: "+").replacing("_", with: "/")
        plain += String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: String(plain)), data.base64EncodedString() == plain else { return nil }
        return Array(data)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}

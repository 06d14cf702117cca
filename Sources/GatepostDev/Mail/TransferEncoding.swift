import Foundation

/// How a body is kept to seven bits (RFC 2045, section 6).
enum TransferEncoding {
    /// Takes an encoding off; one that is not known is none.
    static func decode(_ body: ArraySlice<UInt8>, encoding: String) -> [UInt8] {
        switch encoding.lowercased() {
        case "base64": decodeBase64(body)
        case "quoted-printable": decodeQuotedPrintable(body)
        default: Array(body)
        }
    }

    /// Line breaks and anything else that is not base64 are skipped, as section 6.8 says.
    static func decodeBase64(_ body: some Collection<UInt8>) -> [UInt8] {
        Array(Data(base64Encoded: Data(body), options: .ignoreUnknownCharacters) ?? Data())
    }

    /// `=XX` is a byte, `=` at a line's end joins it to the next; other uses of `=` are left as they are.
    static func decodeQuotedPrintable(_ body: some Collection<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        var rest = Array(body)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "=") else {
                decoded.append(byte)
                continue
            }
            if let value = hexByte(rest.prefix(2)) {
                decoded.append(value)
                rest = rest.dropFirst(2)
            } else if rest.starts(with: "\r\n".utf8) {
                rest = rest.dropFirst(2)
            } else if rest.first == UInt8(ascii: "\n") {
                rest = rest.dropFirst()
            } else {
                decoded.append(byte)
            }
        }
        return decoded
    }

    private static func hexByte(_ digits: ArraySlice<UInt8>) -> UInt8? {
        guard digits.count == 2, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) else { return nil }
        return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}

/// Character sets by the names that mail gives them.
enum CharacterSetName {
    /// Reads bytes; whatever is not Latin 1 is taken for UTF-8, of which ASCII is a part.
    static func decode(_ bytes: [UInt8], _ name: String) -> String {
        guard name.lowercased() == "iso-8859-1" else { return String(decoding: bytes, as: UTF8.self) }
        return String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) }))
    }
}

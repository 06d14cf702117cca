/// The address that a browser is sent back to: a registered redirect URI with parameters behind it.
enum RedirectLocation {
    /// Appends parameters to a URI, which stays as it is byte for byte; those without a value are left out.
    ///
    /// A registered URI has no fragment, and may have a query of its own (RFC 6749, section 3.1.2).
    static func text(_ redirectURI: String, _ parameters: [(name: String, value: String?)]) -> String {
        let pairs = parameters.compactMap { pair in pair.value.map { "\(pair.name)=\(encoded($0))" } }
        let query = redirectURI.firstIndex(of: "?")
        let joint =
            if let query { redirectURI.index(after: query) == redirectURI.endIndex ? "" : "&" } else { "?" }
        return redirectURI + joint + pairs.joined(separator: "&")
    }

    /// Percent-encodes all but unreserved characters (RFC 3986, section 2.3), so that what is decoded is what came.
    private static func encoded(_ value: String) -> String {
        var text: [UInt8] = []
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                text.append(byte)
            case _ where "-._~".utf8.contains(byte): text.append(byte)
            default:
                text.append(UInt8(ascii: "%"))
                text += (byte < 16 ? "0" : "").utf8
                text += String(byte, radix: 16, uppercase: true).utf8
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

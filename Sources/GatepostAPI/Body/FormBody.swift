import Foundation
import GatepostModel
import Hummingbird

/// A body in `application/x-www-form-urlencoded`, each of whose parameters came once.
///
/// Unknown parameters are left alone and one without a value counts as left out (RFC 6749, section 3.2); one that
/// comes twice is refused, since two readers may believe different values.
struct FormBody: Sendable {
    private let fields: [String: String]

    /// Reads a form's bytes; throws a `Problem` for what is no form.
    init(_ bytes: [UInt8]) throws {
        var fields: [String: String] = [:]
        for (name, value) in try Self.pairs(of: bytes) {
            guard fields.updateValue(value, forKey: name) == nil else {
                throw Problem(.invalidRequest, detail: "A parameter comes twice.")
            }
        }
        self.fields = fields.filter { !$0.value.isEmpty }
    }

    /// All parameters in the order in which they came, for whoever has to see that one comes twice.
    ///
    /// Throws a `Problem` for what is no form.
    static func pairs(of bytes: [UInt8]) throws -> [(name: String, value: String)] {
        let pairs = bytes.split(separator: UInt8(ascii: "&"))
        guard pairs.count <= ServerLimits.formFieldsMax else {
            throw Problem(.invalidRequest, detail: "The form has too many parameters.")
        }
        return try pairs.map { pair in
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            guard let name = Self.decode(pair[..<equals]), let value = Self.decode(pair[equals...].dropFirst()) else {
                throw Problem(.invalidRequest, detail: "The form is not encoded correctly.")
            }
            return (name, value)
        }
    }

    /// A parameter's value; nil if it was left out or empty.
    subscript(name: String) -> String? { fields[name] }

    /// Percent-decodes; nil for a broken escape, invalid UTF-8 or a NUL.
    static func decode(_ bytes: ArraySlice<UInt8>) -> String? {
        let spaced = bytes.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
        guard let decoded = String(validating: spaced, as: UTF8.self)?.removingPercentEncoding,
            !decoded.utf8.contains(0)
        else { return nil }
        return decoded
    }
}

extension Request {
    /// Reads the body as a form.
    func form() async throws -> FormBody {
        try FormBody(try await collectBody(ofType: "application/x-www-form-urlencoded"))
    }
}

/// A value that must not be printed: a password, a key, a token.
///
/// It prints as `<redacted>` everywhere, also in `dump` and in string interpolation, so that a log line that
/// takes a whole struct does not leak it. To use it, name `revealed`: a reviewer can search for that word.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The value itself.
    package let revealed: String

    /// Wraps a value as soon as it is read.
    package init(_ value: String) {
        revealed = value
    }

    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Compares in a time that depends only on the lengths.
    package static func == (left: Secret, right: Secret) -> Bool {
        constantTimeEqual(Array(left.revealed.utf8), Array(right.revealed.utf8))
    }
}

extension Secret: Decodable {
    package init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }
}

/// Whether two byte strings are equal, in a time that depends only on their lengths.
package func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    // The parentheses matter: Swift gives | and ^ the same precedence.
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}

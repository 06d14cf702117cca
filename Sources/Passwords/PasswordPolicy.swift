import Foundation

/// Which passwords are good enough (NIST SP 800-63B-4, section 3.1.1; OWASP ASVS 6.2).
///
/// Length and a blocklist, nothing else: no composition rules, no rotation, no hints. A password is counted in
/// code points and hashed as UTF-8 of its NFC form, whole: never cut, never folded. NFC and not NFKC, because
/// the compatibility mapping makes distinct passwords equal (`①` and `1`) where a canonical one only undoes how
/// a keyboard composed the same letter.
package struct PasswordPolicy: Sendable {
    /// Code points at least, while the password is the only factor.
    package let lengthMin: Int
    /// Bytes at most, so that a caller cannot make a hash expensive; far above the 64 characters that must be taken.
    package static let bytesMax = 1024

    /// Why a password is not good enough.
    package enum Weakness: Sendable, Equatable {
        case tooShort(lengthMin: Int)
        case tooLong
        case common
        case repetitive
        case resemblesContext
        case unprintable
        /// Known from a leak; the policy itself knows none, whoever asks a range server does.
        case breached

        /// The same as a code, for whoever has the words in another language; and the number that belongs to it.
        package var code: (name: String, number: Int?) {
            switch self {
            case .tooShort(let lengthMin): ("too_short", lengthMin)
            case .tooLong: ("too_long", PasswordPolicy.bytesMax)
            case .common: ("common", nil)
            case .repetitive: ("repetitive", nil)
            case .resemblesContext: ("resembles_context", nil)
            case .unprintable: ("unprintable", nil)
            case .breached: ("breached", nil)
            }
        }

        /// What the person is told.
        package var description: String {
            switch self {
            case .tooShort(let lengthMin): "Use at least \(lengthMin) characters; a few words in a row are easiest."
            case .tooLong: "Use at most \(PasswordPolicy.bytesMax) bytes."
            case .common: "This password is on the lists that attackers try first."
            case .repetitive: "This password repeats or counts; use a few unrelated words."
            case .resemblesContext: "Leave your address and the name of the app out of the password."
            case .unprintable: "A password cannot contain control characters."
            case .breached: "This password has become known from another service's leak; choose another one."
            }
        }
    }

    /// A policy; below 15 characters only where another factor is required (section 3.1.1.2), never below 8.
    package init(lengthMin: Int = 15) {
        self.lengthMin = max(8, lengthMin)
        // Read when the program starts, not when the first person waits; without its lists there is no policy.
        _ = FrequentPasswords.all
    }

    /// The form of a password that is hashed.
    package static func bytes(of password: String) -> [UInt8] {
        Array(password.precomposed.utf8)
    }

    /// What is wrong with a password; nil for a good one.
    ///
    /// - Parameters:
    ///   - password: As the person typed it.
    ///   - context: Words that an attacker would try for this person: the address, the app's name. They are compared as
    ///     `PasswordReading` reads them.
    /// - Returns: The first weakness found.
    package func weakness(of password: String, context: [String] = []) -> Weakness? {
        guard password.utf8.count <= Self.bytesMax else { return .tooLong }
        let scalars = password.precomposed.unicodeScalars
        guard scalars.count >= lengthMin else { return .tooShort(lengthMin: lengthMin) }
        guard scalars.allSatisfy({ $0.properties.generalCategory != .control }) else { return .unprintable }
        let folded = String(password.lowercased().filter { !$0.isWhitespace })
        if isRepetitive(Array(folded.unicodeScalars)) { return .repetitive }
        let readings = PasswordReading.all(of: password)
        let words = Set(context.map(PasswordReading.plain).filter { $0.count >= PasswordReading.pieceLengthMin })
        let makings = readings.map { $0.making(context: words) }
        if makings.contains(.context) || readings.contains(where: { words.contains($0.text) }) {
            return .resemblesContext
        }
        if makings.contains(.frequent) || readings.contains(where: { FrequentPasswords.all.contains($0.text) }) {
            return .common
        }
        return nil
    }

    /// Few distinct characters, one piece over and over that is too short itself, or a run along the alphabet, the
    /// digits or a row of keys.
    private func isRepetitive(_ scalars: [Unicode.Scalar]) -> Bool {
        guard Set(scalars).count > 4 else { return true }
        for length in 1..<lengthMin where scalars.count >= length * 2 {
            if scalars.indices.allSatisfy({ scalars[$0] == scalars[$0 % length] }) { return true }
        }
        let steps = zip(scalars, scalars.dropFirst()).count { first, second in
            abs(Int(first.value) - Int(second.value)) <= 1 || Self.isKeyboardNeighbour(first, second)
        }
        return steps * 10 >= (scalars.count - 1) * 9
    }

    private static func isKeyboardNeighbour(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Bool {
        ["qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "1234567890"].contains { row in
            let row = Array(row.unicodeScalars)
            guard let left = row.firstIndex(of: first), let right = row.firstIndex(of: second) else { return false }
            return abs(left - right) <= 1
        }
    }
}

extension String {
    /// Unicode normalisation form C.
    fileprivate var precomposed: String { precomposedStringWithCanonicalMapping }
}

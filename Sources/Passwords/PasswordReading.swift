import Foundation

/// A password as somebody who guesses would think of it: letters and digits only, without case and marks, with signs
/// and digits as the letters that they stand for.
///
/// Only for comparing with words: what is hashed is never folded.
struct PasswordReading {
    /// The most characters that are looked at: two words, however often, are no longer than this without being
    /// repetitive.
    private static let lengthMax = 96
    /// A piece of a password has at least so many characters: shorter ones are in everything.
    static let pieceLengthMin = 4
    /// The longest piece that is looked for.
    private static let pieceLengthMax = 24
    /// The most pieces that are tried in pairs; the longest are.
    private static let pairedMax = 32
    /// Fewer letters than these beside the pieces are no addition.
    private static let otherLettersMin = 4
    /// As many digits as a date and a counter have; more of them are an addition.
    private static let freeDigits = 10

    private let scalars: [Unicode.Scalar]
    /// The whole of it.
    let text: String

    /// The ways to read a password; the first is `plain`.
    static func all(of password: String) -> [PasswordReading] {
        let folded = fold(password)
        let letters = folded.map { substitutes[$0] ?? $0 }
        let ways = [folded, letters, letters.map { $0 == "1" ? "l" : $0 }, letters.map { $0 == "1" ? "i" : $0 }]
        return ways.indices.filter { !ways[..<$0].contains(ways[$0]) }.map { PasswordReading(ways[$0]) }
    }

    /// The form in which words are compared.
    static func plain(_ text: String) -> String {
        PasswordReading(fold(text)).text
    }

    private init(_ folded: [Unicode.Scalar]) {
        scalars = folded.filter { Self.isLetter($0) || Self.isDigit($0) }
        text = String(String.UnicodeScalarView(scalars))
    }

    /// What the password is made of.
    enum Making {
        /// More than words that somebody would try.
        case own
        /// One or two frequent words or any number of the most frequent ones, with digits and signs.
        case frequent
        /// Words of the person's or the app's, maybe with a frequent one.
        case context
    }

    /// Looks whether all of it is one or two words, however often repeated, and hardly anything else; of the words that
    /// belong to the person or the app any number.
    func making(context: Set<String>) -> Making {
        guard scalars.count <= Self.lengthMax else { return .own }
        let found = pieces(context: context)
        if isLittle(beside: found.filter(\.isContext)) { return .context }
        let paired = found.prefix(Self.pairedMax)
        var isFrequent = isLittle(beside: found.filter(\.isBasic))
        for (place, first) in paired.enumerated() {
            for second in paired[place...] where isLittle(beside: [first, second]) {
                if first.isContext || second.isContext { return .context }
                isFrequent = true
            }
        }
        return isFrequent ? .frequent : .own
    }

    /// A word that stands somewhere in the reading.
    private struct Piece {
        let length: Int
        let isContext: Bool
        let isBasic: Bool
        /// Whether it begins at each place.
        var begins: [Bool]
    }

    /// Every word in it, longest first.
    private func pieces(context: Set<String>) -> [Piece] {
        var found: [String: Piece] = [:]
        for begin in scalars.indices {
            for end in (begin + Self.pieceLengthMin)..<(begin + Self.pieceLengthMax + 1) where end <= scalars.count {
                let word = String(String.UnicodeScalarView(scalars[begin..<end]))
                let isContext = context.contains(word)
                guard isContext || FrequentPasswords.all.contains(word) else { continue }
                // Digits alone are free as it is.
                guard scalars[begin..<end].contains(where: Self.isLetter) else { continue }
                let new = Piece(
                    length: end - begin, isContext: isContext, isBasic: FrequentPasswords.pieces.contains(word),
                    begins: Array(repeating: false, count: scalars.count))
                found[word, default: new].begins[begin] = true
            }
        }
        return found.sorted { ($1.value.length, $0.key) < ($0.value.length, $1.key) }.map(\.value)
    }

    /// Whether little is left once these pieces, the longer one first, are taken out.
    private func isLittle(beside pieces: [Piece]) -> Bool {
        guard !pieces.isEmpty else { return false }
        var (letters, digits, place) = (0, 0, 0)
        while place < scalars.count {
            if let piece = pieces.first(where: { $0.begins[place] }) {
                place += piece.length
                continue
            }
            if Self.isLetter(scalars[place]) { letters += 1 } else { digits += 1 }
            if letters + max(0, digits - Self.freeDigits) >= Self.otherLettersMin { return false }
            place += 1
        }
        return true
    }

    /// Compatibility forms, case and marks undone: `Ｐä` and `pa` are one word to who guesses.
    private static func fold(_ text: String) -> [Unicode.Scalar] {
        text.lowercased().decomposedStringWithCompatibilityMapping.unicodeScalars
            .filter { $0.properties.generalCategory != .nonspacingMark }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .uppercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .otherSymbol: true
        default: false
        }
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.numericType != nil && !isLetter(scalar)
    }

    /// What stands for which letter; `1` has two, and is left for both.
    private static let substitutes: [Unicode.Scalar: Unicode.Scalar] = [
        "0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s", "!": "1", "|": "1", "+": "t",
    ]
}

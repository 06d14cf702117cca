/// Chooses the language in which a person is addressed, among those that there are texts for.
///
/// The person's own comes first, then what the client says of them (`ui_locales`), then the browser's, then the app's.
/// A wish is met by the language alone where its variant is not there: `de-AT` by `de` (RFC 4647, section 3.4).
package struct LocaleChoice: Sendable {
    /// The language that is always there.
    package static let fallback = "en"
    /// How many wishes of one list are read: the rest are of nobody who wants to be understood.
    static let wishesMax = 20

    /// The languages that there are texts for, as their tags.
    package let supported: [String]

    /// Chooses among these.
    package init(supported: [String]) {
        self.supported = supported
    }

    /// Whether this is the tag of a language at all: letters, digits and hyphens, as `de` or `pt-BR`.
    package static func isTag(_ text: String) -> Bool {
        (2...35).contains(text.utf8.count) && text.first?.isLetter == true
            && text.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "-") || (byte < 0x80 && Character(Unicode.Scalar(byte)).isLetter)
                    || (48...57).contains(byte)
            }
    }

    /// The language that meets one wish; nil if none does.
    package func language(for wish: String) -> String? {
        var parts = wish.lowercased().split(separator: "-")
        while !parts.isEmpty {
            let tag = parts.joined(separator: "-")
            if let known = supported.first(where: { $0.lowercased() == tag }) { return known }
            parts.removeLast()
        }
        return nil
    }

    /// The first language of a client's list that there is (`ui_locales`, OpenID Connect Core, section 3.1.2.1).
    package func language(forUILocales list: String) -> String? {
        list.split(separator: " ").prefix(Self.wishesMax).lazy.compactMap { language(for: String($0)) }.first
    }

    /// The language that a browser likes best (`Accept-Language`, RFC 9110, section 12.5.4).
    package func language(forAcceptLanguage field: String) -> String? {
        let wishes = field.split(separator: ",").prefix(Self.wishesMax).map { entry -> (tag: String, weight: Double) in
            let parts = entry.split(separator: ";").map { $0.filter { !$0.isWhitespace } }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
            return (parts.first ?? "", weight ?? 1)
        }
        // Equal wishes in the order in which they stand.
        return wishes.enumerated().filter { $0.element.weight > 0 }
            .sorted { ($1.element.weight, $0.offset) < ($0.element.weight, $1.offset) }
            .lazy.compactMap { language(for: $0.element.tag) }.first
    }

    /// The language to speak, by all that is known.
    ///
    /// - Parameters:
    ///   - person: What the person has chosen for themselves.
    ///   - uiLocales: What the client asked for.
    ///   - acceptLanguage: What the browser says.
    ///   - app: What the app's settings say.
    /// - Returns: One of those that are supported, or the fallback.
    package func choose(
        person: String? = nil, uiLocales: String? = nil, acceptLanguage: String? = nil, app: String? = nil
    ) -> String {
        person.flatMap(language(for:)) ?? uiLocales.flatMap(language(forUILocales:))
            ?? acceptLanguage.flatMap(language(forAcceptLanguage:)) ?? app.flatMap(language(for:)) ?? Self.fallback
    }
}

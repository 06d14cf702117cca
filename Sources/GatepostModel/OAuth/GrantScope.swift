/// What a client may be told of a person, as it asked (RFC 6749, section 3.3; OpenID Connect Core, section 5.4).
package struct GrantScope: Sendable, Hashable, CustomStringConvertible {
    /// One thing that can be asked for.
    package enum Value: String, Sendable, CaseIterable {
        /// An ID token, and the right to ask who somebody is.
        case openid
        /// The address, and whether it is verified.
        case email
        /// What else is known: the language, and roles where the app's setting says so.
        case profile
    }

    /// Nothing but access.
    package static let none = GrantScope("")

    /// In the order of the list above.
    package let values: [Value]

    /// Reads what a client asks for; words that are not known here are passed over, as OpenID Connect wants it.
    package init(_ text: String) {
        let words = Set(text.split(separator: " ").map(String.init))
        values = Value.allCases.filter { words.contains($0.rawValue) }
    }

    /// As it stands in answers and tokens.
    package var description: String { values.map(\.rawValue).joined(separator: " ") }

    /// Whether a thing was asked for.
    package func contains(_ value: Value) -> Bool { values.contains(value) }

    /// What both hold.
    package func intersection(_ other: GrantScope) -> GrantScope {
        GrantScope(values.filter(other.contains).map(\.rawValue).joined(separator: " "))
    }

    /// Whether a text asks for nothing that is not in here; unknown words are more.
    package func covers(_ text: String) -> Bool {
        text.split(separator: " ").allSatisfy { word in values.contains { $0.rawValue == word } }
    }
}

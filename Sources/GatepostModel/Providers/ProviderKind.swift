/// What sort of provider one is: it says what is asked of it, and in which form it answers.
package enum ProviderKind: String, Sendable, CaseIterable {
    /// Any that publishes a discovery document (OpenID Connect Discovery 1.0).
    case openID = "openid"
    case google
    /// Its client secret is a token that is signed with a key; it posts its answer from its own site.
    case apple
    /// One tenant: the issuer names it.
    case microsoft
    /// OAuth without an ID token: who somebody is, its API says.
    case github

    /// The issuer where an admin names none; nil where one must be named.
    package var issuer: String? {
        switch self {
        case .openID, .microsoft: nil
        case .google: "https://accounts.google.com"
        case .apple: "https://appleid.apple.com"
        case .github: "https://github.com"
        }
    }

    /// What is asked for: who it is and which address they have, no more.
    package var scopes: [String] {
        self == .github ? ["read:user", "user:email"] : ["openid", "email"]
    }

    /// The text on the button where an admin gives none.
    package var label: String {
        switch self {
        case .openID: "OpenID"
        case .google: "Google"
        case .apple: "Apple"
        case .microsoft: "Microsoft"
        case .github: "GitHub"
        }
    }
}

/// The name of a provider in addresses: lower case letters, digits and hyphens.
package struct ProviderName: Hashable, Sendable, CustomStringConvertible {
    /// The longest name in bytes.
    package static let bytesMax = 40

    /// The name itself.
    package let text: String

    /// Checks a name; nil where it is none.
    package init?(_ text: String) {
        guard (1...Self.bytesMax).contains(text.utf8.count), text.first != "-",
            text.utf8.allSatisfy({ byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "-")
            })
        else { return nil }
        self.text = text
    }

    package var description: String { text }
}

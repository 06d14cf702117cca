/// How much was proved in a sign-in: the `acr` of its tokens (OpenID Connect Core, section 2).
package enum AuthenticationClass: String, Sendable, CaseIterable {
    /// One factor: a password, a mailbox or what another provider says.
    case oneFactor = "1fa"
    /// Two: also a code of an authenticator, or a recovery code.
    case twoFactors = "mfa"

    /// What an `amr` of RFC 8176 says of a sign-in with two factors; set where both were proved, and nowhere else.
    package static let twoFactorMethod = "mfa"
    /// What a code of an authenticator, or a recovery code, adds to the methods of a sign-in.
    package static let secondMethods = ["otp", twoFactorMethod]

    /// The class of a sign-in by these methods.
    package init(methods: [String]) {
        self = methods.contains(Self.twoFactorMethod) ? .twoFactors : .oneFactor
    }

    /// The class that a client prefers among those that it names (`acr_values`); nil if it names none that there is.
    package init?(preferred text: String) {
        let known = text.split(separator: " ").lazy.compactMap { Self(rawValue: String($0)) }
        guard let first = known.first else { return nil }
        self = first
    }
}

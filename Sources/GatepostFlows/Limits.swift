import GatepostStore

/// How often things may be tried; every way to prove the same thing counts against the same limit.
enum Limits {
    /// Passwords tried for one address, known or not.
    ///
    /// A success gives its try back, so a person who signs in often is not slowed; twenty guesses a quarter of an
    /// hour find no password that the policy lets through.
    static let password = RateLimit("password", tries: 20, per: .seconds(900))
    /// Mails that strangers can cause to one address of one app.
    static let mail = RateLimit("mail", tries: 5, per: .seconds(3600))
    /// Ways to a provider that one client address begins: each costs a row, and at worst a request to the provider.
    static let providerStart = RateLimit("provider_start", tries: 60, per: .seconds(900))
}

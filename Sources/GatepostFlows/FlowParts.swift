package import GatepostModel
package import GatepostOutbox
package import GatepostStore
package import Passwords

/// What the flows are made of: the collaborators that a program, a test or a benchmark has chosen.
package struct FlowParts: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let cache: KeyCache
    let baseURL: String
    let hasher: PasswordHasher
    let rules: PasswordRules
    let allowsPrivateDestinations: Bool
    let signal: OutboxSignal
    let providers: ProviderPort

    var keys: KeyRing { cache.ring }

    /// Gathers the collaborators.
    ///
    /// - Parameters:
    ///   - database: Where everything is.
    ///   - clock: The time.
    ///   - random: Chance.
    ///   - cache: The apps' keys, with the ring that opens them.
    ///   - baseURL: Where Gatepost is reached; issuers are made from it.
    ///   - hasher: Whose threads compute the hashes.
    ///   - policy: What a password must be.
    ///   - allowsPrivateDestinations: Whether a webhook may go to an address that is not public.
    ///   - signal: Wakes a worker in the same process, if there is one.
    ///   - providers: The way to identity providers.
    ///   - passwordRange: The way to a server that knows leaked passwords.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, cache: KeyCache, baseURL: String,
        hasher: PasswordHasher, policy: PasswordPolicy = PasswordPolicy(), allowsPrivateDestinations: Bool = false,
        signal: OutboxSignal = OutboxSignal(), providers: ProviderPort = .none,
        passwordRange: PasswordRangePort = .none
    ) {
        (self.database, self.clock, self.random, self.cache) = (database, clock, random, cache)
        (self.baseURL, self.hasher, self.signal) = (baseURL, hasher, signal)
        self.allowsPrivateDestinations = allowsPrivateDestinations
        self.providers = providers
        rules = PasswordRules(database: database, policy: policy, range: passwordRange, baseURL: baseURL)
    }
}

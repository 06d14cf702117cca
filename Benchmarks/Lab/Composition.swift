import GatepostFlows
import GatepostModel
import GatepostStore
import Passwords

/// Gatepost's flows put together as the program puts them together, for what is measured without its HTTP.
struct Composition: Sendable {
    let flows: Flows
    let keys: KeyCache
    let issuer: TokenIssuer

    init(database: Database, clock: any WallClock, keys ring: KeyRing, baseURL: String, hasher: PasswordHasher) {
        let random = SystemRandom()
        keys = KeyCache(database: database, ring: ring, clock: clock)
        issuer = TokenIssuer(cache: keys, random: random, baseURL: baseURL)
        flows = Flows(
            of: FlowParts(
                database: database, clock: clock, random: random, cache: keys, baseURL: baseURL, hasher: hasher))
    }
}

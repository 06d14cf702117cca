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
        let (random, policy) = (SystemRandom(), PasswordPolicy())
        keys = KeyCache(database: database, ring: ring, clock: clock)
        issuer = TokenIssuer(cache: keys, random: random, baseURL: baseURL)
        let session = SessionFlow(
            database: database, clock: clock, verifier: TokenVerifier(cache: keys, baseURL: baseURL))
        flows = Flows(
            signUp: SignUpFlow(
                database: database, clock: clock, random: random, keys: ring, hasher: hasher, policy: policy),
            verification: VerificationFlow(
                database: database, clock: clock, random: random, keys: ring, hasher: hasher, policy: policy),
            signIn: PasswordSignInFlow(database: database, clock: clock, random: random, hasher: hasher),
            codeExchange: CodeExchangeFlow(database: database, clock: clock, random: random, issuer: issuer),
            refresh: RefreshFlow(database: database, clock: clock, random: random, issuer: issuer),
            signOut: SignOutFlow(database: database, clock: clock, random: random),
            session: session, refusal: RefusalFlow(database: database, clock: clock, random: random),
            admin: AdminFlows(
                access: AdminAccessFlow(database: database, clock: clock, session: session),
                apps: AdminAppFlow(database: database, clock: clock, random: random, keys: ring),
                users: AdminUserFlow(database: database, clock: clock, random: random),
                webhooks: AdminWebhookFlow(
                    database: database, clock: clock, random: random, keys: ring, allowsPrivate: false),
                audit: AdminAuditFlow(database: database, clock: clock, random: random, keys: ring),
                deliveries: DeliveryFlow(database: database, clock: clock, random: random),
                grants: AdminGrantFlow(database: database, clock: clock, random: random),
                invitations: AdminInvitationFlow(
                    database: database, clock: clock, random: random, keys: ring, hasher: hasher, policy: policy),
                keys: AdminKeyFlow(database: database, clock: clock, random: random)))
    }
}

import GatepostFlows
import GatepostModel
import Passwords

extension Wiring {
    /// What changes, suspends and resumes apps.
    func adminAppFlow() throws -> AdminAppFlow {
        AdminAppFlow(database: database, clock: clock, random: random, keys: try keyRing())
    }

    /// What adds clients to apps and makes their secrets.
    func adminClientFlow() throws -> AdminClientFlow {
        AdminClientFlow(database: database, clock: clock, random: random, keys: try keyRing())
    }

    /// What finds, deactivates and reactivates users.
    func adminUserFlow() -> AdminUserFlow {
        AdminUserFlow(database: database, clock: clock, random: random, signal: signal)
    }

    /// What ends users' sessions.
    func adminSessionFlow() -> AdminSessionFlow {
        AdminSessionFlow(database: database, clock: clock, random: random, signal: signal)
    }

    /// What adds and deletes webhook endpoints.
    func adminWebhookFlow() throws -> AdminWebhookFlow {
        AdminWebhookFlow(
            database: database, clock: clock, random: random, keys: try keyRing(),
            allowsPrivate: !configuration.privateDestinations.isEmpty)
    }

    /// What changes who is an admin.
    func adminGrantFlow() -> AdminGrantFlow {
        AdminGrantFlow(database: database, clock: clock, random: random)
    }

    /// What makes API keys.
    func adminKeyFlow() -> AdminKeyFlow {
        AdminKeyFlow(database: database, clock: clock, random: random)
    }

    /// What invites admins; nobody chooses a password there.
    func adminInvitationFlow(keys: KeyRing, hasher: PasswordHasher) -> AdminInvitationFlow {
        AdminInvitationFlow(
            database: database, clock: clock, random: random, keys: keys, hasher: hasher,
            rules: PasswordRules(database: database, policy: PasswordPolicy(), baseURL: configuration.baseURL),
            signal: signal)
    }

    /// What prepares the built-in app.
    func adminSetupFlow() throws -> AdminSetupFlow {
        AdminSetupFlow(database: database, clock: clock, random: random, keys: try keyRing())
    }
}

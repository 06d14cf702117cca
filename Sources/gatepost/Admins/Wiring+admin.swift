import GatepostFlows
import GatepostModel
import Passwords

extension Wiring {
    /// What answers the admin API.
    func adminFlows(
        session: SessionFlow, keys: KeyRing, hasher: PasswordHasher, policy: PasswordPolicy
    ) -> AdminFlows {
        AdminFlows(
            access: AdminAccessFlow(database: database, clock: clock, session: session),
            apps: AdminAppFlow(database: database, clock: clock, random: random, keys: keys),
            users: AdminUserFlow(database: database, clock: clock, random: random, signal: signal),
            webhooks: webhookFlow(keys: keys),
            audit: AdminAuditFlow(database: database, clock: clock, random: random, keys: keys, signal: signal),
            deliveries: deliveryFlow(),
            grants: adminGrantFlow(),
            invitations: adminInvitationFlow(keys: keys, hasher: hasher, policy: policy),
            keys: adminKeyFlow())
    }

    /// What changes who is an admin.
    func adminGrantFlow() -> AdminGrantFlow {
        AdminGrantFlow(database: database, clock: clock, random: random)
    }

    /// What makes API keys.
    func adminKeyFlow() -> AdminKeyFlow {
        AdminKeyFlow(database: database, clock: clock, random: random)
    }

    /// What invites admins.
    func adminInvitationFlow(keys: KeyRing, hasher: PasswordHasher, policy: PasswordPolicy) -> AdminInvitationFlow {
        AdminInvitationFlow(
            database: database, clock: clock, random: random, keys: keys, hasher: hasher, policy: policy,
            signal: signal)
    }

    /// What prepares the built-in app.
    func adminSetupFlow() throws -> AdminSetupFlow {
        AdminSetupFlow(database: database, clock: clock, random: random, keys: try keyRing())
    }
}

/// The flows behind the admin API, put together once; a route takes the one it needs.
package struct AdminFlows: Sendable {
    package let access: AdminAccessFlow
    package let apps: AdminAppFlow
    package let clients: AdminClientFlow
    package let users: AdminUserFlow
    package let factors: AdminFactorFlow
    package let sessions: AdminSessionFlow
    package let roles: AdminRoleFlow
    package let webhooks: AdminWebhookFlow
    package let providers: AdminProviderFlow
    package let audit: AdminAuditFlow
    package let deliveries: DeliveryFlow
    package let capturedMails: CapturedMailFlow
    package let grants: AdminGrantFlow
    package let invitations: AdminInvitationFlow
    package let keys: AdminKeyFlow

    /// Puts the flows together.
    init(of parts: FlowParts, session: SessionFlow) {
        let (database, clock, random, ring) = (parts.database, parts.clock, parts.random, parts.keys)
        access = AdminAccessFlow(database: database, clock: clock, session: session)
        apps = AdminAppFlow(database: database, clock: clock, random: random, keys: ring)
        clients = AdminClientFlow(database: database, clock: clock, random: random, keys: parts.keys)
        users = AdminUserFlow(database: database, clock: clock, random: random, signal: parts.signal)
        factors = AdminFactorFlow(mail: MailFlowParts(of: parts))
        sessions = AdminSessionFlow(database: database, clock: clock, random: random, signal: parts.signal)
        roles = AdminRoleFlow(database: database, clock: clock, random: random, signal: parts.signal)
        webhooks = AdminWebhookFlow(
            database: database, clock: clock, random: random, keys: ring,
            allowsPrivate: parts.allowsPrivateDestinations)
        providers = AdminProviderFlow(
            database: database, clock: clock, random: random, keys: ring,
            allowsPrivate: parts.allowsPrivateDestinations)
        audit = AdminAuditFlow(database: database, clock: clock, random: random, keys: ring, signal: parts.signal)
        deliveries = DeliveryFlow(database: database, clock: clock, random: random, signal: parts.signal)
        capturedMails = CapturedMailFlow(database: database, clock: clock, random: random, keys: ring)
        grants = AdminGrantFlow(database: database, clock: clock, random: random)
        invitations = AdminInvitationFlow(
            database: database, clock: clock, random: random, keys: ring, hasher: parts.hasher, rules: parts.rules,
            signal: parts.signal)
        keys = AdminKeyFlow(database: database, clock: clock, random: random)
    }
}

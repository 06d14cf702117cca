/// The flows behind the admin API, wired once; a route takes the one it needs.
package struct AdminFlows: Sendable {
    package let access: AdminAccessFlow
    package let apps: AdminAppFlow
    package let users: AdminUserFlow
    package let webhooks: AdminWebhookFlow
    package let audit: AdminAuditFlow
    package let deliveries: DeliveryFlow
    package let grants: AdminGrantFlow
    package let invitations: AdminInvitationFlow
    package let keys: AdminKeyFlow

    /// Takes the wired flows.
    package init(
        access: AdminAccessFlow, apps: AdminAppFlow, users: AdminUserFlow, webhooks: AdminWebhookFlow,
        audit: AdminAuditFlow, deliveries: DeliveryFlow, grants: AdminGrantFlow, invitations: AdminInvitationFlow,
        keys: AdminKeyFlow
    ) {
        (self.access, self.apps, self.users) = (access, apps, users)
        (self.webhooks, self.audit, self.deliveries) = (webhooks, audit, deliveries)
        (self.grants, self.invitations, self.keys) = (grants, invitations, keys)
    }
}

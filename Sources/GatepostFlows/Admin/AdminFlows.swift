/// The flows behind the admin API, wired once; a route takes the one it needs.
package struct AdminFlows: Sendable {
    package let access: AdminAccessFlow
    package let apps: AdminAppFlow
    package let users: AdminUserFlow
    package let webhooks: AdminWebhookFlow
    package let audit: AdminAuditFlow
    package let deliveries: DeliveryFlow

    /// Takes the wired flows.
    package init(
        access: AdminAccessFlow, apps: AdminAppFlow, users: AdminUserFlow, webhooks: AdminWebhookFlow,
        audit: AdminAuditFlow, deliveries: DeliveryFlow
    ) {
        (self.access, self.apps, self.users) = (access, apps, users)
        (self.webhooks, self.audit, self.deliveries) = (webhooks, audit, deliveries)
    }
}

package import GatepostModel
import Postgres

extension AppBatch {
    /// Notes that an endpoint took a notice: what failed before is forgotten.
    package mutating func noteWebhookSuccess(_ endpoint: WebhookEndpointID) {
        add(
            """
            update webhook_endpoints set first_failed_at = null, last_failed_at = null
             where app_id = \(scope.appID) and id = \(endpoint) and first_failed_at is not null
            """)
    }

    /// Notes that an endpoint took no notice; once an hour is enough to tell days.
    package mutating func noteWebhookFailure(_ endpoint: WebhookEndpointID, at now: Instant) {
        add(
            """
            update webhook_endpoints
               set first_failed_at = coalesce(first_failed_at, \(now)), last_failed_at = \(now)
             where app_id = \(scope.appID) and id = \(endpoint) and state = 'enabled'
               and (last_failed_at is null or last_failed_at <= \(now - .hours(1)))
            """)
    }
}

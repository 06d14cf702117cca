package import GatepostModel
import Postgres

/// When failures of an endpoint belong together.
enum WebhookFailures {
    /// The longest time without a try between two of them: the longest pause between two tries of one notice is a day
    /// and its jitter.
    static let silenceMax: Duration = .hours(36)
}

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
    ///
    /// A failure after a silence begins anew: two that lie days apart do not show that it failed in between.
    package mutating func noteWebhookFailure(_ endpoint: WebhookEndpointID, at now: Instant) {
        add(
            """
            update webhook_endpoints
               set first_failed_at = case when last_failed_at > \(now - WebhookFailures.silenceMax)
                                          then first_failed_at else \(now) end,
                   last_failed_at = \(now)
             where app_id = \(scope.appID) and id = \(endpoint) and state = 'enabled'
               and (last_failed_at is null or last_failed_at <= \(now - .hours(1)))
            """)
    }
}

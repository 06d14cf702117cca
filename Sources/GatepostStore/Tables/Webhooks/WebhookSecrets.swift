package import GatepostModel
import Postgres

/// A sealed secret and the row that it is sealed for.
package struct SealedWebhookSecret: Sendable {
    package let id: WebhookSecretID
    package let sealed: [UInt8]

    /// Gathers what is written.
    package init(id: WebhookSecretID, sealed: [UInt8]) {
        (self.id, self.sealed) = (id, sealed)
    }
}

/// Where a notice goes now, and what signs it.
package struct WebhookTarget: Sendable {
    package let url: String
    package let isEnabled: Bool
    /// Whether it has taken nothing since a first failure.
    package let isFailing: Bool
    /// The current secret first; one that is being replaced signs too while it lives.
    package let secrets: [SealedWebhookSecret]
}

extension AppBatch {
    /// Writes the current secret of an endpoint.
    package mutating func insertWebhookSecret(
        _ secret: SealedWebhookSecret, of endpoint: WebhookEndpointID, at now: Instant
    ) {
        add(
            """
            insert into webhook_secrets (app_id, id, endpoint_id, secret_sealed, created_at)
            values (\(scope.appID), \(secret.id), \(endpoint), \(secret.sealed), \(now))
            """)
    }

    /// Lets the current secret of an endpoint expire; one that was being replaced already is dead at once.
    ///
    /// So at most two live: the new one, which is to be written next, and the one before it.
    package mutating func replaceWebhookSecret(of endpoint: WebhookEndpointID, expiresAt: Instant) {
        add(
            """
            delete from webhook_secrets
             where app_id = \(scope.appID) and endpoint_id = \(endpoint) and expires_at is not null
            """)
        add(
            """
            update webhook_secrets set expires_at = \(expiresAt)
             where app_id = \(scope.appID) and endpoint_id = \(endpoint)
            """)
    }

    /// Endpoints with the secrets that live now; those that the app does not have are missing.
    package mutating func webhookTargets(
        _ endpoints: [WebhookEndpointID], at now: Instant
    ) -> BatchReading<[WebhookEndpointID: WebhookTarget]> {
        read(
            """
            select e.id, e.url, e.state, e.first_failed_at is not null as is_failing, s.id as secret_id, s.secret_sealed
              from webhook_endpoints as e
              left join webhook_secrets as s
                on s.app_id = e.app_id and s.endpoint_id = e.id and (s.expires_at is null or s.expires_at > \(now))
             where e.app_id = \(scope.appID) and e.id = any (\(endpoints))
             order by s.expires_at desc nulls first
            """
        ) { rows in
            try rows.reduce(into: [:]) { targets, row in
                let id = try row.get("id", as: WebhookEndpointID.self)
                let secret = try row.get("secret_id", as: WebhookSecretID?.self).map {
                    SealedWebhookSecret(id: $0, sealed: try row.get("secret_sealed"))
                }
                targets[id] = WebhookTarget(
                    url: try row.get("url"), isEnabled: try row.get("state", as: String.self) == "enabled",
                    isFailing: try row.get("is_failing"),
                    secrets: (targets[id]?.secrets ?? []) + [secret].compactMap { $0 })
            }
        }
    }
}

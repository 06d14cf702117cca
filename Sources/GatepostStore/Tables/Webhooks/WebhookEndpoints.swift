package import GatepostModel
import Postgres

/// A webhook endpoint as its row says.
package struct WebhookEndpointRecord: Sendable {
    /// The most endpoints that an app may have: each is told of everything that it wants.
    package static let countMax = 20
    /// The longest description in characters.
    package static let descriptionLengthMax = 200

    /// Which endpoint it is, where it is called, and what for, in an admin's words.
    package let id: WebhookEndpointID
    package let url: String
    package let description: String
    /// As they were written; a type that this version does not know is kept.
    package let eventTypes: [String]
    package let isEnabled: Bool
    /// Why it is disabled: `by_admin`, `gone` or `failing`; nil while it is enabled.
    package let disabledReason: String?
    package let createdAt: Instant
    package let changedAt: Instant
    package let disabledAt: Instant?
    /// Since when it has failed without a success; nil where the last notice was taken.
    package let failingSince: Instant?
    /// Until when the secret before the last rotation signs too; nil where none does.
    package let oldSecretExpiresAt: Instant?

    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        url = try row.get("url")
        description = try row.get("description")
        eventTypes = try row.get("event_types")
        isEnabled = try row.get("state", as: String.self) == "enabled"
        disabledReason = try row.get("disabled_reason")
        createdAt = try row.get("created_at")
        changedAt = try row.get("changed_at")
        disabledAt = try row.get("disabled_at")
        failingSince = try row.get("first_failed_at")
        oldSecretExpiresAt = try row.get("old_secret_expires_at")
    }
}

/// What a new endpoint consists of.
package struct NewWebhookEndpoint: Sendable {
    package let id: WebhookEndpointID
    package let url: WebhookURL
    package let description: String
    package let eventTypes: [WebhookEventType]

    /// Puts an endpoint together.
    package init(id: WebhookEndpointID, url: WebhookURL, description: String, eventTypes: [WebhookEventType]) {
        (self.id, self.url, self.description, self.eventTypes) = (id, url, description, eventTypes)
    }
}

/// What is to be changed of an endpoint; nil leaves as it is.
package struct WebhookEndpointChange: Sendable {
    /// Where it is called from now on, what it is for, what it wants.
    package let url: WebhookURL?
    package let description: String?
    package let eventTypes: [WebhookEventType]?
    /// Whether it is called at all.
    package let isEnabled: Bool?

    /// Gathers what is to be changed.
    package init(
        url: WebhookURL? = nil, description: String? = nil, eventTypes: [WebhookEventType]? = nil,
        isEnabled: Bool? = nil
    ) {
        (self.url, self.description, self.eventTypes) = (url, description, eventTypes)
        self.isEnabled = isEnabled
    }

    /// Whether what failed before says nothing any more: another receiver, or an admin who says that it works again.
    var startsAnew: Bool { url != nil || isEnabled == true }

    /// The names of the fields that it names, for the audit trail.
    package var fieldNames: [String] {
        [
            url.map { _ in "url" }, description.map { _ in "description" }, eventTypes.map { _ in "event_types" },
            isEnabled.map { _ in "state" },
        ].compactMap { $0 }
    }
}

/// Why an endpoint is not called.
package enum WebhookDisabledReason: String, Sendable {
    /// Somebody asked for it.
    case byAdmin = "by_admin"
    /// It answered 410.
    case gone
    /// It has taken nothing for days; jobs/disable-failing-webhook-endpoints.sql says so.
    case failing
}

private func columns(at now: Instant) -> SQL {
    """
    e.id, e.url, e.description, e.event_types, e.state, e.disabled_reason, e.created_at, e.changed_at, e.disabled_at,
    e.first_failed_at,
    (select s.expires_at from webhook_secrets as s
      where s.app_id = e.app_id and s.endpoint_id = e.id and s.expires_at > \(now)) as old_secret_expires_at
    """
}

extension AppBatch {
    /// Lets one transaction at a time add endpoints to the app: two could otherwise both see the last free place.
    package mutating func lockWebhookEndpoints() {
        add("select pg_advisory_xact_lock(hashtextextended('webhook_endpoints ' || \(scope.appID)::uuid::text, 0))")
    }

    /// How many endpoints the app has.
    package mutating func webhookEndpointCount() -> BatchReading<Int> {
        read("select count(*) as count from webhook_endpoints where app_id = \(scope.appID)") {
            try $0.first?.get("count", as: Int.self) ?? 0
        }
    }

    /// Writes an enabled endpoint.
    package mutating func insertWebhookEndpoint(_ new: NewWebhookEndpoint, at now: Instant) {
        add(
            """
            insert into webhook_endpoints (app_id, id, url, description, event_types, state, created_at, changed_at)
            values (\(scope.appID), \(new.id), \(new.url.text), \(new.description),
                    \(new.eventTypes.map(\.rawValue)), 'enabled', \(now), \(now))
            """)
    }

    /// Endpoints of the app, oldest first.
    package mutating func webhookEndpoints(
        after cursor: PageCursor?, limit: Int, at now: Instant
    ) -> BatchReading<[WebhookEndpointRecord]> {
        let further: SQL = cursor.map { "and (e.created_at, e.id) > (\($0.at), \($0.id))" } ?? ""
        return read(
            """
            select \(columns(at: now)) from webhook_endpoints as e
             where e.app_id = \(scope.appID) \(further)
             order by e.created_at, e.id
             limit \(limit)
            """
        ) { try $0.map(WebhookEndpointRecord.init) }
    }

    /// One endpoint; nil if the app has none of this id.
    package mutating func webhookEndpoint(
        _ id: WebhookEndpointID, at now: Instant
    ) -> BatchReading<WebhookEndpointRecord?> {
        read("select \(columns(at: now)) from webhook_endpoints as e where e.app_id = \(scope.appID) and e.id = \(id)")
        {
            try $0.first.map(WebhookEndpointRecord.init)
        }
    }

    /// Takes an endpoint for this transaction: whoever else changes it, waits.
    ///
    /// - Returns: Whether it is enabled; nil if the app has none of this id.
    package mutating func lockWebhookEndpoint(_ id: WebhookEndpointID) -> BatchReading<Bool?> {
        read("select state from webhook_endpoints where app_id = \(scope.appID) and id = \(id) for update") {
            try $0.first.map { try $0.get("state", as: String.self) == "enabled" }
        }
    }

    /// Changes what is named of an endpoint.
    package mutating func changeWebhookEndpoint(
        _ id: WebhookEndpointID, _ change: WebhookEndpointChange, at now: Instant
    ) {
        add(
            """
            update webhook_endpoints
               set url = coalesce(\(change.url?.text)::text, url),
                   description = coalesce(\(change.description)::text, description),
                   event_types = coalesce(\(change.eventTypes.map { $0.map(\.rawValue) })::text[], event_types),
                   changed_at = \(now),
                   first_failed_at = case when \(change.startsAnew) then null else first_failed_at end,
                   last_failed_at = case when \(change.startsAnew) then null else last_failed_at end
             where app_id = \(scope.appID) and id = \(id)
            """)
        guard let isEnabled = change.isEnabled else { return }
        if isEnabled {
            enableWebhookEndpoint(id)
        } else {
            _ = disableWebhookEndpoint(id, .byAdmin, at: now)
        }
    }

    private mutating func enableWebhookEndpoint(_ id: WebhookEndpointID) {
        add(
            """
            update webhook_endpoints set state = 'enabled', disabled_reason = null, disabled_at = null
             where app_id = \(scope.appID) and id = \(id) and state = 'disabled'
            """)
    }

    /// Calls an endpoint no more; one that is disabled already keeps its first reason.
    ///
    /// - Returns: Whether this changed anything.
    package mutating func disableWebhookEndpoint(
        _ id: WebhookEndpointID, _ reason: WebhookDisabledReason, at now: Instant
    ) -> BatchReading<Bool> {
        read(
            """
            update webhook_endpoints
               set state = 'disabled', disabled_reason = \(reason.rawValue), disabled_at = \(now), changed_at = \(now)
             where app_id = \(scope.appID) and id = \(id) and state = 'enabled'
            """
        ) { $0.affectedCount == 1 }
    }

    /// Deletes an endpoint with its secrets; what is still owed to it ends as obsolete.
    ///
    /// - Returns: Whether it was there.
    package mutating func deleteWebhookEndpoint(_ id: WebhookEndpointID) -> BatchReading<Bool> {
        read("delete from webhook_endpoints where app_id = \(scope.appID) and id = \(id)") { $0.affectedCount == 1 }
    }
}

package import GatepostModel
package import GatepostStore

/// What admins do with an app's webhook endpoints: add, look at, change and delete them, and rotate their secrets.
package struct AdminWebhookFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing
    /// Whether the configuration names private destinations, as in dev; see `WebhookURL`.
    package let allowsPrivate: Bool

    /// Wires the flow.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing, allowsPrivate: Bool
    ) {
        (self.database, self.clock, self.random, self.keys) = (database, clock, random, keys)
        self.allowsPrivate = allowsPrivate
    }

    /// What an admin wants to be told of, and where.
    package struct Wanted: Sendable {
        package let url: WebhookURL
        package let description: String
        package let eventTypes: [WebhookEventType]

        /// Gathers what the request says.
        package init(url: WebhookURL, description: String, eventTypes: [WebhookEventType]) {
            (self.url, self.description, self.eventTypes) = (url, description, eventTypes)
        }
    }

    /// An endpoint and a secret of its that was made just now: the only time that it is shown.
    package struct Issued: Sendable {
        package let endpoint: WebhookEndpointRecord
        package let secret: WebhookSecret
    }

    /// One page of an app's endpoints, oldest first.
    package func endpoints(
        after cursor: PageCursor?, limit: Int, in scope: AppScope
    ) async throws -> [WebhookEndpointRecord] {
        try await database.batch(in: scope) { $0.webhookEndpoints(after: cursor, limit: limit, at: clock.now) }
    }

    /// One endpoint; nil if the app has none of this id.
    package func endpoint(_ id: WebhookEndpointID, in scope: AppScope) async throws -> WebhookEndpointRecord? {
        try await database.batch(in: scope) { $0.webhookEndpoint(id, at: clock.now) }
    }

    /// Adds an endpoint with its first secret.
    package func create(
        _ wanted: Wanted, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<Issued> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let id: WebhookEndpointID = occasion.id()
        let (secret, sealed) = try makeSecret(occasion, in: scope)
        let new = NewWebhookEndpoint(
            id: id, url: wanted.url, description: wanted.description, eventTypes: wanted.eventTypes)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                let count = try await transaction.batch { batch in
                    batch.lockWebhookEndpoints()
                    return batch.webhookEndpointCount()
                }
                guard count < WebhookEndpointRecord.countMax else { return Refusal(.tooManyWebhookEndpoints) }
                try await transaction.batch { batch in
                    batch.insertWebhookEndpoint(new, at: occasion.now)
                    batch.insertWebhookSecret(sealed, of: id, at: occasion.now)
                    batch.record(event(.webhookEndpointCreated, id, request, occasion))
                }
                return nil
            }
        }
        return try await issued(outcome, secret, in: scope)
    }

    /// Changes an endpoint; enabling one that was disabled lets it be told again, of what happens from then on and of
    /// what is still owed.
    package func change(
        _ id: WebhookEndpointID, _ change: WebhookEndpointChange, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<WebhookEndpointID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                let wasEnabled = try await transaction.batch { $0.lockWebhookEndpoint(id) }
                guard let wasEnabled else { return Refusal(.notFound) }
                let isDisabling = wasEnabled && change.isEnabled == false
                var event = event(
                    isDisabling ? .webhookEndpointDisabled : .webhookEndpointChanged, id, request, occasion)
                event.details["fields"] = change.fieldNames.joined(separator: " ")
                if isDisabling { event.reason = WebhookDisabledReason.byAdmin.rawValue }
                try await transaction.batch { [event] batch in
                    batch.changeWebhookEndpoint(id, change, at: occasion.now)
                    batch.record(event)
                }
                return nil
            }
        }
    }

    /// Deletes an endpoint; what is still owed to it ends as obsolete.
    package func delete(
        _ id: WebhookEndpointID, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<WebhookEndpointID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                let wasThere = try await transaction.batch { $0.deleteWebhookEndpoint(id) }
                guard wasThere else { return Refusal(.notFound) }
                try await transaction.batch { $0.record(event(.webhookEndpointDeleted, id, request, occasion)) }
                return nil
            }
        }
    }

    /// Gives an endpoint a new secret; the one before it signs too for a while, or ends at once.
    ///
    /// - Parameters:
    ///   - id: The endpoint.
    ///   - overlap: How long both sign; zero where the old one is known to somebody who must not know it.
    ///   - request: Who asks.
    ///   - scope: The endpoint's app.
    /// - Returns: The endpoint with the new secret, or why not.
    /// - Throws: `PostgresError`.
    package func rotateSecret(
        of id: WebhookEndpointID, overlap: Duration, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<Issued> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let (secret, sealed) = try makeSecret(occasion, in: scope)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                let isThere = try await transaction.batch { $0.lockWebhookEndpoint(id) } != nil
                guard isThere else { return Refusal(.notFound) }
                try await transaction.batch { batch in
                    batch.replaceWebhookSecret(of: id, expiresAt: occasion.now + overlap)
                    batch.insertWebhookSecret(sealed, of: id, at: occasion.now)
                    batch.record(event(.webhookSecretRotated, id, request, occasion))
                }
                return nil
            }
        }
        return try await issued(outcome, secret, in: scope)
    }

    private func makeSecret(
        _ occasion: Occasion, in scope: AppScope
    ) throws -> (WebhookSecret, SealedWebhookSecret) {
        let (id, secret): (WebhookSecretID, _) = (occasion.id(), WebhookSecret.make(random: random))
        return (secret, SealedWebhookSecret(id: id, sealed: try secret.sealed(as: id, in: scope.appID, keys: keys)))
    }

    private func issued(
        _ outcome: AdminOutcome<WebhookEndpointID>, _ secret: WebhookSecret, in scope: AppScope
    ) async throws -> AdminOutcome<Issued> {
        switch outcome {
        case .done(let id):
            guard let endpoint = try await endpoint(id, in: scope) else { return .refused(Refusal(.notFound)) }
            return .done(Issued(endpoint: endpoint, secret: secret))
        case .refused(let refusal):
            return .refused(refusal)
        }
    }

    private func event(
        _ kind: AuditEvent.Kind, _ endpoint: WebhookEndpointID, _ request: AdminRequest, _ occasion: Occasion
    ) -> AuditEvent {
        var event = occasion.event(kind, by: request.actor)
        event.details = ["webhook_endpoint": endpoint.description]
        return event
    }
}

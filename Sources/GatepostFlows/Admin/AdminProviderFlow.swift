package import GatepostModel
package import GatepostStore

/// What admins do with an app's identity providers: add, look at, change and delete them.
///
/// A secret goes in and never comes out: it is sealed for its row, and only a sign-in opens it.
package struct AdminProviderFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing
    /// Whether the configuration names private destinations, as in dev; see `ProviderIssuer`.
    package let allowsPrivate: Bool

    /// Wires the flow.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing, allowsPrivate: Bool
    ) {
        (self.database, self.clock, self.random, self.keys) = (database, clock, random, keys)
        self.allowsPrivate = allowsPrivate
    }

    /// What an admin wants a provider to be.
    package struct Wanted: Sendable {
        package let name: ProviderName
        package let kind: ProviderKind
        package let issuer: ProviderIssuer
        package let clientID: String
        package let secret: Secret
        package var label: String?
        package var scopes: [String]?
        package var teamID: String?
        package var keyID: String?
        package var allowsSignUp = true
        package var keepsTokens = false

        /// Gathers what every provider has; the rest is set afterwards.
        package init(
            name: ProviderName, kind: ProviderKind, issuer: ProviderIssuer, clientID: String, secret: Secret
        ) {
            (self.name, self.kind, self.issuer) = (name, kind, issuer)
            (self.clientID, self.secret) = (clientID, secret)
        }
    }

    /// One page of an app's providers, oldest first.
    package func providers(
        after cursor: PageCursor?, limit: Int, in scope: AppScope
    ) async throws -> [IdentityProviderRecord] {
        try await database.batch(in: scope) { $0.identityProviders(after: cursor, limit: limit) }
    }

    /// One provider; nil if the app has none of this id.
    package func provider(_ id: IdentityProviderID, in scope: AppScope) async throws -> IdentityProviderRecord? {
        try await database.batch(in: scope) { $0.identityProvider(id) }
    }

    /// Adds a provider, enabled.
    package func create(
        _ wanted: Wanted, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<IdentityProviderID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let id: IdentityProviderID = occasion.id()
        var new = NewIdentityProvider(
            id: id, name: wanted.name, kind: wanted.kind, issuer: wanted.issuer, clientID: wanted.clientID,
            secretSealed: try ProviderSecretSeal.seal(wanted.secret, of: id, in: scope.appID, keys: keys))
        new.label = wanted.label ?? new.label
        new.scopes = wanted.scopes ?? new.scopes
        (new.teamID, new.keyID) = (wanted.teamID, wanted.keyID)
        (new.allowsSignUp, new.keepsTokens) = (wanted.allowsSignUp, wanted.keepsTokens)
        if let refusal = flaw(of: wanted.secret, wanted.kind) {
            return try await refuse(refusal, request, in: scope, occasion)
        }
        return try await database.transaction(in: scope) { [new] transaction in
            try await transaction.once(request, id, occasion) {
                let count = try await transaction.batch { batch in
                    batch.lockIdentityProviders()
                    return batch.identityProviderCount(like: wanted.name, wanted.issuer)
                }
                guard count.all < IdentityProviderRecord.countMax else {
                    return Refusal(.conflict, detail: "The app has as many identity providers as it may have.")
                }
                guard count.alike == 0 else {
                    return Refusal(.conflict, detail: "The app has a provider of this name or of this issuer.")
                }
                try await transaction.batch { batch in
                    batch.insertIdentityProvider(new, at: occasion.now)
                    batch.record(event(.identityProviderCreated, id, request, occasion))
                }
                return nil
            }
        }
    }

    /// Changes a provider; a new secret takes the place of the old one at once.
    package func change(
        _ id: IdentityProviderID, _ change: IdentityProviderChange, secret: Secret?, for request: AdminRequest,
        in scope: AppScope
    ) async throws -> AdminOutcome<IdentityProviderID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        var change = change
        change.secretSealed = try secret.map {
            try ProviderSecretSeal.seal($0, of: id, in: scope.appID, keys: keys)
        }
        return try await database.transaction(in: scope) { [change] transaction in
            try await transaction.once(request, id, occasion) {
                let before = try await transaction.batch { $0.lockIdentityProvider(id) }
                guard let before else { return Refusal(.notFound) }
                if let secret, let kind = before.kind, let flaw = flaw(of: secret, kind) { return flaw }
                guard change.keyID == nil || before.kind == .apple else {
                    return Refusal(.invalidIdentityProvider, detail: "key_id is for Apple.")
                }
                let isDisabling = before.isEnabled && change.isEnabled == false
                var event = event(
                    isDisabling ? .identityProviderDisabled : .identityProviderChanged, id, request, occasion)
                event.details["fields"] = change.fieldNames.joined(separator: " ")
                try await transaction.batch { [event] batch in
                    batch.changeIdentityProvider(id, change, at: occasion.now)
                    batch.record(event)
                }
                return nil
            }
        }
    }

    /// Deletes a provider; whoever is on the way through it gets nowhere, and the identities stay.
    package func delete(
        _ id: IdentityProviderID, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<IdentityProviderID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                let wasThere = try await transaction.batch { $0.deleteIdentityProvider(id) }
                guard wasThere else { return Refusal(.notFound) }
                try await transaction.batch { $0.record(event(.identityProviderDeleted, id, request, occasion)) }
                return nil
            }
        }
    }

    /// Apple's secret is a key that tokens can be signed with: said when it is written down, not at a sign-in.
    private func flaw(of secret: Secret, _ kind: ProviderKind) -> Refusal? {
        guard kind == .apple, AppleClientSecret.key(secret) == nil else { return nil }
        return Refusal(
            .invalidIdentityProvider, detail: "Apple's secret is a private key on the curve P-256, in PEM.")
    }

    private func refuse(
        _ refusal: Refusal, _ request: AdminRequest, in scope: AppScope, _ occasion: Occasion
    ) async throws -> AdminOutcome<IdentityProviderID> {
        try await database.batch(in: scope) { batch in
            batch.record(occasion.event(.requestRefused, by: request.actor, reason: refusal.code.rawValue))
        }
        return .refused(refusal)
    }

    private func event(
        _ kind: AuditEvent.Kind, _ provider: IdentityProviderID, _ request: AdminRequest, _ occasion: Occasion
    ) -> AuditEvent {
        var event = occasion.event(kind, by: request.actor)
        event.details = ["identity_provider": provider.description]
        return event
    }
}

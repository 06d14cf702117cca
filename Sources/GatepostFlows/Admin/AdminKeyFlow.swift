package import GatepostModel
package import GatepostStore

/// Makes, lists and revokes the keys with which programs use the admin API.
package struct AdminKeyFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource) {
        (self.database, self.clock, self.random) = (database, clock, random)
    }

    /// One page of the keys that somebody may see, newest first: of all apps, or of those that they are admins of.
    package func keys(
        visibleTo principal: AdminPrincipal, after cursor: PageCursor? = nil, limit: Int
    ) async throws -> [APIKeyRecord] {
        guard let scope = try await database.scope(of: .gatepost) else { return [] }
        let apps =
            principal.may(.apiKeysRead, in: nil)
            ? nil : principal.grants.filter { $0.role.permissions.contains(.apiKeysRead) }.compactMap(\.app)
        return try await database.batch(in: scope) { $0.apiKeys(of: apps, after: cursor, limit: limit) }
    }

    /// Makes a key; the answer is the only place where it ever stands.
    ///
    /// - Parameters:
    ///   - name: 1 to 100 characters, for people.
    ///   - grant: What it may do; never more than whoever makes it, and never an owner.
    ///   - life: At most `Lifetimes.apiKeyMax`.
    ///   - request: Who asks.
    /// - Returns: The key, or why not.
    /// - Throws: `PostgresError`.
    package func create(
        named name: String, _ grant: AdminGrant, life: Duration, for request: AdminRequest
    ) async throws -> AdminOutcome<NewAPIKey> {
        guard let scope = try await database.scope(of: .gatepost) else { return .refused(Refusal(.appNotFound)) }
        let isApp = try await grant.hasTarget(in: database)
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let key = NewAPIKey(
            id: occasion.id(), token: .make(.apiKey, random: random), name: name, grant: grant,
            madeBy: request.principal.person, createdAt: occasion.now,
            expiresAt: occasion.now + min(life, Lifetimes.apiKeyMax))
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, key.id, occasion) {
                // Whoever revokes a stolen key would have to find those that it has made.
                if case .apiKey = request.principal.identity {
                    return Refusal(.conflict, detail: "A key makes no keys: sign in, or use the command line.")
                }
                guard isApp else { return Refusal(.appNotFound) }
                guard grant.role != .owner else {
                    return Refusal(.invalidRequest, detail: "A key is no owner: it would outlive every owner.")
                }
                guard request.principal.covers(grant), request.principal.may(.apiKeysWrite, in: grant.app) else {
                    return Refusal(.permissionDenied)
                }
                try await transaction.batch { batch in
                    batch.insertAPIKey(key)
                    batch.record(event(.apiKeyCreated, key.id, grant, request, occasion))
                }
                return nil
            }
        }
        switch outcome {
        case .done: return .done(key)
        case .refused(let refusal): return .refused(refusal)
        }
    }

    /// Revokes a key at once; one that is revoked already stays as it is.
    package func revoke(_ id: APIKeyID, for request: AdminRequest) async throws -> AdminOutcome<APIKeyID> {
        guard let scope = try await database.scope(of: .gatepost) else { return .refused(Refusal(.appNotFound)) }
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                // Somebody else's key is answered like none: whoever may not see it learns nothing.
                guard let key = try await transaction.batch({ $0.apiKey(id) }),
                    request.principal.may(.apiKeysWrite, in: key.grant.app)
                else { return Refusal(.notFound) }
                guard try await transaction.batch({ $0.revokeAPIKey(id, at: occasion.now) }) else { return nil }
                try await transaction.batch { batch in
                    batch.record(event(.apiKeyRevoked, id, key.grant, request, occasion))
                }
                return nil
            }
        }
    }

    private func event(
        _ kind: AuditEvent.Kind, _ key: APIKeyID, _ grant: AdminGrant, _ request: AdminRequest, _ occasion: Occasion
    ) -> AuditEvent {
        var event = occasion.event(kind, by: request.actor).about(grant)
        event.details["api_key"] = key.description
        return event
    }
}

package import GatepostModel
package import GatepostStore

/// What admins do with an app's clients: add, look at and change them, make and revoke their secrets.
package struct AdminClientFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing) {
        (self.database, self.clock, self.random, self.keys) = (database, clock, random, keys)
    }

    /// What an admin wants a client to be.
    package struct Wanted: Sendable {
        package let name: String
        package let type: ClientType
        package let party: ClientParty
        package let subjectType: SubjectType
        package let redirectURIs: [RedirectURI]
        /// What it proves itself with in place of a secret; for a confidential one only.
        package let keySet: ClientKeySet?
        package let idTokenAlgorithm: SigningAlgorithm

        /// Gathers what the request says; who names no algorithm means RS256 (OpenID Connect Registration, section 2).
        package init(
            name: String, type: ClientType, party: ClientParty = .first, subjectType: SubjectType = .public,
            redirectURIs: [RedirectURI], keySet: ClientKeySet? = nil, idTokenAlgorithm: SigningAlgorithm = .rs256
        ) {
            (self.name, self.type, self.party, self.subjectType) = (name, type, party, subjectType)
            (self.redirectURIs, self.keySet) = (redirectURIs, keySet)
            self.idTokenAlgorithm = idTokenAlgorithm
        }
    }

    /// A client, the secrets of it that work, and perhaps one that was made just now: the only time that it is shown.
    package struct Shown: Sendable {
        package let client: ClientRecord
        package let secrets: [ClientSecretRecord]
        package let made: NewClientSecret?
    }

    /// One page of an app's clients, oldest first.
    package func clients(
        after cursor: PageCursor?, limit: Int, in scope: AppScope
    ) async throws -> [ClientRecord] {
        try await database.batch(in: scope) { $0.clients(after: cursor, limit: limit) }
    }

    /// One client with its secrets; nil if the app has none of this id.
    package func client(_ id: ClientID, in scope: AppScope) async throws -> Shown? {
        try await shown(id, made: nil, in: scope)
    }

    /// Adds a client; a confidential one without keys gets its first secret, and the app the key for its ID tokens.
    package func create(
        _ wanted: Wanted, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<Shown> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let id: ClientID = occasion.id()
        let secret = wanted.type == .confidential && wanted.keySet == nil ? makeSecret(occasion) : nil
        let missingKey = try await missingKey(for: wanted.idTokenAlgorithm, in: scope, occasion)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                guard wanted.keySet == nil || wanted.type == .confidential else {
                    return Refusal(.invalidRequest, detail: "jwks is for confidential clients.")
                }
                let sector = wanted.subjectType == .pairwise ? ClientRecord.sector(of: wanted.redirectURIs) : nil
                guard wanted.subjectType == .public || sector != nil else { return Self.needsOneSector }
                let count = try await transaction.batch { $0.lockClientCount() }
                guard count < ClientRecord.countMax else {
                    return Refusal(.conflict, detail: "The app has as many clients as it may have.")
                }
                let subjectSecret = try sector.map { _ in try makeSubjectSecret(in: scope) }
                try await missingKey?.insert(in: transaction, by: request.actor, occasion)
                try await transaction.batch { batch in
                    if let subjectSecret { batch.insertSubjectSecret(subjectSecret, at: occasion.now) }
                    batch.insertClient(
                        id, named: wanted.name, type: wanted.type, party: wanted.party, sector: sector,
                        keySet: wanted.keySet?.json, idTokenAlgorithm: wanted.idTokenAlgorithm,
                        redirectURIs: wanted.redirectURIs, at: occasion.now)
                    batch.record(event(.clientCreated, id, request, occasion))
                    if let secret { add(secret, of: id, to: &batch, request, occasion) }
                }
                return nil
            }
        }
        return try await shown(outcome, made: secret, in: scope)
    }

    /// Changes what is named of a client; naming an algorithm gives the app its key if it lacks one.
    package func change(
        _ id: ClientID, _ change: ClientChange, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<Shown> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let missingKey = try await missingKey(for: change.idTokenAlgorithm, in: scope, occasion)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                guard let before = try await transaction.batch({ $0.lockClient(id) }) else {
                    return Refusal(.notFound)
                }
                guard change.keySet == nil || before.keySet != nil else {
                    return Refusal(.conflict, detail: "This client has secrets, or none: it was not made with jwks.")
                }
                let sector: String?
                switch Self.sector(of: before, after: change) {
                case .success(let known): sector = known
                case .failure(let refused): return refused.refusal
                }
                let subjectSecret = try sector.map { _ in try makeSubjectSecret(in: scope) }
                var event = event(.clientChanged, id, request, occasion)
                event.details["fields"] = change.fieldNames.joined(separator: " ")
                try await missingKey?.insert(in: transaction, by: request.actor, occasion)
                try await transaction.batch { [event] batch in
                    if let subjectSecret { batch.insertSubjectSecret(subjectSecret, at: occasion.now) }
                    batch.changeClient(id, change, sector: sector)
                    batch.record(event)
                }
                return nil
            }
        }
        return try await shown(outcome, made: nil, in: scope)
    }

    /// Makes a new secret; the one before works on for a while, so that the client can be given the new one.
    package func rotateSecret(
        of id: ClientID, overlap: Duration, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<Shown> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let secret = makeSecret(occasion)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                guard let client = try await transaction.batch({ $0.lockClient(id) }) else {
                    return Refusal(.notFound)
                }
                guard client.type == .confidential, client.keySet == nil else {
                    return Refusal(.conflict, detail: "This client has no secrets: it is public, or has keys.")
                }
                try await transaction.batch { batch in
                    batch.replaceClientSecret(of: id, expiresAt: occasion.now + overlap)
                    add(secret, of: id, to: &batch, request, occasion)
                }
                return nil
            }
        }
        return try await shown(outcome, made: secret, in: scope)
    }

    /// Revokes a secret at once; one that is revoked already, or replaced, stays as it is.
    package func revokeSecret(
        _ secret: ClientSecretID, of id: ClientID, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<ClientSecretID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, secret, occasion) {
                guard try await transaction.batch({ $0.lockClient(id) }) != nil,
                    try await transaction.batch({ $0.revokeClientSecret(secret, of: id, at: occasion.now) })
                else { return Refusal(.notFound) }
                var event = event(.clientSecretRevoked, id, request, occasion)
                event.details["client_secret"] = secret.description
                try await transaction.batch { [event] batch in batch.record(event) }
                return nil
            }
        }
    }

    /// Why a client cannot be what it is to be.
    private struct Refused: Error {
        let refusal: Refusal
    }

    private static let needsOneSector = Refusal(
        .conflict, detail: "Pairwise subjects go by the host of the redirect URIs, so there is one host.")

    /// The sector of a client after a change; nil for one that knows users by their ids.
    ///
    /// With another host every user would be somebody else to the client, so that takes more than other addresses.
    private static func sector(of before: ClientRecord, after change: ClientChange) -> Result<String?, Refused> {
        guard (change.subjectType ?? before.subjectType) == .pairwise else { return .success(nil) }
        let uris = change.redirectURIs ?? before.redirectURIs.compactMap(RedirectURI.init)
        guard let sector = ClientRecord.sector(of: uris) else { return .failure(Refused(refusal: needsOneSector)) }
        guard change.subjectType != nil || sector == before.sector else {
            let detail = "Another host gives every user another subject: name subject_type in the same change."
            return .failure(Refused(refusal: Refusal(.conflict, detail: detail)))
        }
        return .success(sector)
    }

    /// The key that the app lacks for ID tokens of this algorithm.
    private func missingKey(
        for algorithm: SigningAlgorithm?, in scope: AppScope, _ occasion: Occasion
    ) async throws -> MissingSigningKey? {
        try await MissingSigningKey.make(for: algorithm, in: scope, on: database, keys: keys, occasion)
    }

    /// The app's secret for pairwise subjects, if it has none yet.
    private func makeSubjectSecret(in scope: AppScope) throws -> [UInt8] {
        try SubjectSecret.make(in: scope.appID, keys: keys, random: random)
    }

    private func makeSecret(_ occasion: Occasion) -> NewClientSecret {
        NewClientSecret(id: occasion.id(), token: .make(.clientSecret, random: random))
    }

    private func add(
        _ secret: NewClientSecret, of id: ClientID, to batch: inout AppBatch, _ request: AdminRequest,
        _ occasion: Occasion
    ) {
        batch.insertClientSecret(secret, of: id, at: occasion.now)
        var event = event(.clientSecretCreated, id, request, occasion)
        event.details["client_secret"] = secret.id.description
        batch.record(event)
    }

    private func shown(
        _ outcome: AdminOutcome<ClientID>, made: NewClientSecret?, in scope: AppScope
    ) async throws -> AdminOutcome<Shown> {
        switch outcome {
        case .done(let id):
            guard let shown = try await shown(id, made: made, in: scope) else { return .refused(Refusal(.notFound)) }
            return .done(shown)
        case .refused(let refusal):
            return .refused(refusal)
        }
    }

    private func shown(_ id: ClientID, made: NewClientSecret?, in scope: AppScope) async throws -> Shown? {
        let (client, secrets) = try await database.batch(in: scope) { batch in
            let client = batch.client(id)
            return client.and(batch.liveClientSecrets(of: id, at: clock.now))
        }
        return client.map { Shown(client: $0, secrets: secrets, made: made) }
    }

    private func event(
        _ kind: AuditEvent.Kind, _ client: ClientID, _ request: AdminRequest, _ occasion: Occasion
    ) -> AuditEvent {
        occasion.event(kind, by: request.actor, clientID: client)
    }
}

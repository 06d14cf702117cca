package import GatepostModel
package import GatepostStore

/// Tells which client asks, by what it presents (RFC 6749, section 2.3; RFC 7523, section 2.2).
///
/// A secret has 256 bits of chance, so counting wrong ones guards nothing that could be guessed: it keeps a stranger
/// from filling the audit trail. The right one is always taken, so nobody keeps an app's own servers out.
package struct ClientAuthenticationFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let baseURL: String

    /// Wrong tries at one client from one network.
    static let tries = RateLimit("client", tries: 20, per: .minutes(15))

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, baseURL: String) {
        (self.database, self.clock, self.random, self.baseURL) = (database, clock, random, baseURL)
    }

    /// What a client presents.
    package enum Presented: Sendable {
        /// Its id alone: enough for a public client, which proves by PKCE what it has begun.
        case id(ClientID)
        /// A secret.
        case secret(OneTimeToken, of: ClientID)
        /// A signed proof, and the id if the request names it too.
        case assertion(String, of: ClientID?)
    }

    /// What presenting it came to.
    package enum Outcome: Sendable {
        case client(ClientRecord)
        /// It is not known, or did not prove who it is: which, nobody is told.
        case unproven
        /// Too many of these.
        case refused(Refusal)
    }

    /// Tells who it is; what does not prove it is counted and recorded.
    package func authenticate(
        _ presented: Presented, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        switch presented {
        case .id(let id):
            let client = try await database.batch(in: scope) { $0.client(id) }
            if let client, client.type == .public { return .client(client) }
            return try await refuse(id, client, in: scope, occasion)
        case .secret(let secret, let id):
            let (client, hashes) = try await database.batch(in: scope) { batch in
                let client = batch.client(id)
                return client.and(batch.liveClientSecretHashes(of: id, at: occasion.now))
            }
            let presented = secret.hash
            // All of them, whichever it is: the time tells nothing.
            let matches = hashes.map { constantTimeEqual($0, presented) }.contains(true)
            if let client, client.type == .confidential, matches { return .client(client) }
            return try await refuse(id, client, in: scope, occasion)
        case .assertion(let proof, let id):
            return try await authenticate(proof, of: id, in: scope, occasion)
        }
    }

    private func authenticate(
        _ proof: String, of id: ClientID?, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Outcome {
        guard let claimed = ClientAssertion.claimedClient(proof), id ?? claimed == claimed else {
            return try await refuse(id, nil, in: scope, occasion)
        }
        let issuer = TokenIssuer.issuer(of: scope.appID, baseURL: baseURL)
        guard let client = try await database.batch(in: scope, { $0.client(claimed) }), let keySet = client.keySet,
            let assertion = await ClientAssertion.check(
                proof, of: claimed, keySet: keySet, audiences: [issuer, "\(issuer)/oauth/token"], at: occasion.now)
        else { return try await refuse(claimed, nil, in: scope, occasion) }
        // Only what holds is remembered, so strangers write no row here.
        let isFirst = try await database.batch(in: scope) { batch in
            batch.useClientAssertion(assertion.jtiHash, of: claimed, expiresAt: assertion.expiresAt)
        }
        return isFirst ? .client(client) : try await refuse(claimed, client, in: scope, occasion)
    }

    private func refuse(
        _ id: ClientID?, _ client: ClientRecord?, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Outcome {
        let network = occasion.origin.network
        let settings = scope.settings
        let budgets = RateBudgets(narrow: [
            RateBudget(Self.tries, for: "\(id?.description ?? "") \(network)"),
            RateBudget(RateLimit("proof.client", tries: settings.clientTriesMax, per: .minutes(15)), for: network),
        ])
        let verdict = try await database.batch(in: scope, durability: .asynchronous) { batch in
            batch.spend(budgets, at: occasion.now)
        }
        // Recorded up to the limit only: whoever goes on shall not write the audit trail.
        if let refusal = Refusal(verdict) { return .refused(refusal) }
        try await database.batch(in: scope) { batch in
            batch.record(occasion.event(.clientRefused, by: .anyone, clientID: client?.id, reason: "invalid_client"))
        }
        return .unproven
    }
}

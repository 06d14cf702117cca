package import GatepostModel
package import GatepostStore

/// Takes a client's request from the client itself, and gives it a name for the browser to carry (RFC 9126).
///
/// So nobody on the way reads or changes what is asked for, and a confidential client has proved who it is before
/// anybody sees a page.
package struct PushedRequestFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource) {
        (self.database, self.clock, self.random) = (database, clock, random)
    }

    /// What pushing a request came to.
    package enum Outcome: Sendable {
        /// It waits under this name for so many seconds.
        case pushed(requestURI: String, expiresIn: Int64)
        /// It would be refused at the authorize endpoint, too: with this code, and why.
        case refused(code: String, description: String)
        /// There were too many.
        case limited(Refusal)
    }

    /// Checks a request as the authorize endpoint does, and keeps it; counted before anything is written.
    package func push(
        _ asked: AuthorizationParameters, by client: ClientRecord, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let verdict = try await database.batch(in: scope, durability: .asynchronous) { batch in
            batch.spend(Limits.push(by: client, from: origin, in: scope), at: occasion.now)
        }
        if let refusal = Refusal(verdict) {
            // Written down once, not for each: else there would be no limit to the events.
            if verdict.isFirstRefusal { try await record(refusal.code.rawValue, client.id, in: scope, occasion) }
            return .limited(refusal)
        }
        let text = try asked.text()
        var error = asked.error
        if text.utf8.count > AuthorizationParameters.pushedBytesMax {
            error = AuthorizationError(.invalidRequest, "The request is too long.")
        }
        if asked["redirect_uri"].map(client.allows) != true {
            error = AuthorizationError(.invalidRequest, "This redirect URI is not registered for the client.")
        }
        if let error {
            try await record(error.code.rawValue, client.id, in: scope, occasion)
            return .refused(code: error.code.rawValue, description: error.description)
        }
        let token = OneTimeToken.make(.pushedRequest, random: random)
        let new = NewPushedRequest(token: token, clientID: client.id, parameters: text, at: occasion.now)
        try await database.batch(in: scope) { $0.insertPushedRequest(new) }
        return .pushed(
            requestURI: AuthorizationParameters.pushedPrefix + token.secret.revealed,
            expiresIn: Lifetimes.pushedRequest.wholeSeconds)
    }

    private func record(
        _ reason: String, _ client: ClientID, in scope: AppScope, _ occasion: Occasion
    ) async throws {
        try await database.batch(in: scope, durability: .asynchronous) { batch in
            batch.record(occasion.event(.signInRefused, by: .anyone, clientID: client, reason: reason))
        }
    }
}

package import GatepostModel
package import GatepostStore

extension AdminUserFlow {
    /// Notes claims about a user in the place of all that there were; they are in the next token that says them.
    ///
    /// The event has the names of those that there are now, and no value: what an app notes about people is its own.
    ///
    /// - Parameters:
    ///   - claims: All that there are to be.
    ///   - id: About whom.
    ///   - request: Who asks.
    ///   - scope: The user's app.
    /// - Returns: The user's id, or why not.
    /// - Throws: `PostgresError`.
    package func setClaims(
        _ claims: CustomClaims, of id: UserID, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<UserID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                guard try await transaction.lockUser(id) else { return Refusal(.notFound) }
                guard try await transaction.batch({ $0.claims(of: id) }) != claims else { return nil }
                var event = occasion.event(.userClaimsChanged, by: request.actor, userID: id)
                event.details["claims"] = claims.values.keys.sorted().joined(separator: " ")
                try await transaction.batch { [event] batch in
                    batch.setClaims(claims, of: id)
                    batch.record(event)
                }
                return nil
            }
        }
    }
}

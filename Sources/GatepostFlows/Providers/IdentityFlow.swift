package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// What a signed-in user does with their identities: look at them, and unlink one.
package struct IdentityFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource) {
        (self.database, self.clock, self.random) = (database, clock, random)
    }

    /// A user's identities, oldest first.
    package func identities(of user: UserID, in scope: AppScope) async throws -> [UserIdentityRecord] {
        try await database.batch(in: scope) { $0.identities(of: user) }
    }

    /// Unlinks an identity; nil if that was done, else why not.
    package func unlink(
        _ id: UserIdentityID, of user: UserID, session: SessionID, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Refusal? {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            let removal = try await transaction.batch { $0.deleteIdentity(id, of: user) }
            let refusal: Refusal? =
                switch removal {
                case .removed: nil
                case .unknown: Refusal(.notFound)
                case .isLastWay: Refusal(.lastWay)
                }
            var event = occasion.event(
                refusal == nil ? .identityUnlinked : .requestRefused, by: .user, userID: user, sessionID: session,
                reason: refusal?.code.rawValue)
            event.details = ["identity": id.description]
            try await transaction.batch { [event] batch in
                if case .removed(let provider) = removal {
                    batch.enqueue(.identityUnlinked, occasion.id(), to: user, provider: provider, at: occasion.now)
                }
                batch.record(event)
            }
            return refusal
        }
    }
}

package import GatepostModel
package import GatepostStore

/// Records that a write was refused before it reached its flow: malformed, oversized, unauthorised.
///
/// Flows record their own refusals; this is for what never became a call of one.
package struct RefusalFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource) {
        (self.database, self.clock, self.random) = (database, clock, random)
    }

    /// Records one refusal.
    package func record(
        _ code: ProblemCode, by actor: AuditEvent.Actor = .anyone, in scope: AppScope, from origin: RequestOrigin
    ) async throws {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        try await database.batch(in: scope, durability: .asynchronous) { batch in
            batch.record(occasion.event(.requestRefused, by: actor, reason: code.rawValue))
        }
    }
}

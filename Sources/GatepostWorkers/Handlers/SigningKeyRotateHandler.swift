package import GatepostFlows
package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// Handles `signing_key.rotate`: makes the key that will follow an app's active one.
///
/// Only Postgres is written, so the message is settled in the transaction that makes the key: both or neither.
package struct SigningKeyRotateHandler: Handler {
    private let database: Database
    private let clock: any WallClock
    private let flow: SigningKeyFlow

    /// Wires the handler.
    package init(database: Database, clock: any WallClock, flow: SigningKeyFlow) {
        (self.database, self.clock, self.flow) = (database, clock, flow)
    }

    package func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        guard let rotation = SigningKeyRotation(message) else {
            return .ended(.obsolete, reason: "algorithm_unknown")
        }
        do {
            guard let scope = try await database.scope(of: message.app) else {
                return .ended(.obsolete, reason: "app_missing")
            }
            let key = try await flow.make(rotation.algorithm, in: scope)
            try await database.transaction(in: scope) { transaction in
                // Another worker has the message if its lease ran out; that one's key is written.
                guard try await transaction.settleLocally(message, at: clock.now) else { return }
                try await flow.announce(key, in: transaction)
            }
            return .settled
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }
}

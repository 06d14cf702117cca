package import GatepostFlows
package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// Handles `audit_export.part`: takes one step of an export.
///
/// Only Postgres is written, so the message is settled in the step's own transaction.
package struct AuditExportHandler: Handler {
    /// The first pause while a writer of before the request is still at work; it doubles with each look.
    static let pauseMin: Duration = .milliseconds(250)
    /// The longest: a slow writer is looked at this often.
    static let pauseMax: Duration = .seconds(10)

    private let database: Database
    private let clock: any WallClock
    private let flow: AuditExportFlow

    /// Wires the handler.
    package init(database: Database, clock: any WallClock, flow: AuditExportFlow) {
        (self.database, self.clock, self.flow) = (database, clock, flow)
    }

    package func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        guard let part = AuditExportPart(message) else { return .ended(.obsolete, reason: "export_missing") }
        do {
            guard let scope = try await database.scope(of: message.app) else {
                return .ended(.obsolete, reason: "app_missing")
            }
            // Half of the time is left for the statements around the hash.
            switch try await flow.step(message, of: part.export, in: scope, hashingAtMost: deadline / 2) {
            case .settled:
                return .settled
            case .gone:
                return .ended(.obsolete, reason: "export_missing")
            case .waitsToHash:
                return .waits(until: clock.now)
            case .waitsForWriters:
                let doublings = min(max(message.claimNumber - 1, 0), 6)
                return .waits(until: clock.now + min(Self.pauseMin * (1 << doublings), Self.pauseMax))
            }
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }
}

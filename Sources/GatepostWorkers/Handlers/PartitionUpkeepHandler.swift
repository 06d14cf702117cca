package import GatepostModel
package import GatepostOutbox
package import GatepostStore
package import Logging

/// Handles `partition.upkeep`: keeps the partitions of the ledger, and tells what it found.
///
/// A step that meets a lock gives up, and the message is looked at again some seconds later, so nobody is held up for
/// long. Each step is a transaction of its own, so the message is settled after them: a worker that dies in between
/// leaves a message whose next handling finds the work done.
package struct PartitionUpkeepHandler: Handler {
    private let database: Database
    private let clock: any WallClock
    private let keeper: PartitionKeeper
    private let logger: Logger

    /// Wires the handler.
    package init(database: Database, clock: any WallClock, keeper: PartitionKeeper, logger: Logger) {
        (self.database, self.clock, self.keeper, self.logger) = (database, clock, keeper, logger)
    }

    package func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        do {
            guard let scope = try await database.scope(of: message.app) else {
                return .ended(.obsolete, reason: "app_missing")
            }
            try await watchDefaultPartitions()
            tell(try await keeper.run(at: clock.now))
            // False where another worker has it since: that one finds nothing left to do.
            _ = try await database.transaction(in: scope) { try await $0.settleLocally(message, at: clock.now) }
            return .settled
        } catch {
            return .failedBeforeNetwork("partition upkeep: \(error)")
        }
    }

    /// Says that rows fell into a default partition, also when they can be moved: for that long no upkeep ran.
    private func watchDefaultPartitions() async throws {
        for (name, count) in try await database.defaultPartitionRowCounts() where count > 0 {
            logger.error(
                "a default partition holds rows: no partition was made for their day",
                metadata: ["partition": "\(name)", "rows": "\(count)"])
        }
    }

    private func tell(_ report: PartitionKeeper.Report) {
        guard !report.isEmpty else { return }
        logger.info(
            "partitions are in order",
            metadata: [
                "made": "\(report.made.joined(separator: " "))", "dropped": "\(report.dropped.joined(separator: " "))",
                "moved_rows": "\(report.movedRowCount)",
            ])
    }
}

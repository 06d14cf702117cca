import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Postgres

extension Wiring {
    /// What keeps the ledger's partitions.
    func partitionHandlers() -> [MessageKind: any Handler] {
        [
            PartitionUpkeep.kind: PartitionUpkeepHandler(
                database: database, clock: clock, keeper: PartitionKeeper(database: database), logger: logger)
        ]
    }
}

extension MigrateCommand {
    /// Makes the ledger's first partitions, so that no row of a new installation falls into a default one.
    ///
    /// Only a beginning: what cannot be had now, because somebody holds a lock, is a worker's in the next hours.
    ///
    /// - Parameter login: Connections of the login role.
    static func keepPartitions(through login: PostgresPool) async {
        do {
            let now = try await DatabaseClock(pool: login).now
            _ = try await PartitionKeeper(database: Database(pool: login)).run(at: now)
        } catch {
            Terminal.complain("partitions are left to the workers: \(error)")
        }
    }
}

package import GatepostModel
package import GatepostStore
import Postgres

extension SystemBatch {
    /// Reads since when the oldest message of each lane is owed; a lane that owes nothing is missing.
    package mutating func oldestOwed() -> BatchReading<[Lane: Instant]> {
        read(AgeStatements.oldest()) { rows in
            try rows.reduce(into: [:]) { ages, row in
                ages[try row.get("lane", as: Lane.self)] = try row.get("oldest_at", as: Instant?.self)
            }
        }
    }

    /// Counts the rows of the default partitions by the name of their table, up to a bound.
    ///
    /// As the owner, like the upkeep of partitions: others reach a partition through its table only.
    package mutating func defaultPartitionRows(upTo rowsMax: Int) -> BatchReading<[String: Int64]> {
        read(AgeStatements.defaultPartitionRows(upTo: rowsMax)) { rows in
            guard let row = rows.first else { return [:] }
            return [
                "deliveries": try row.get("deliveries", as: Int64.self),
                "delivery_attempts": try row.get("attempts", as: Int64.self),
            ]
        }
    }
}

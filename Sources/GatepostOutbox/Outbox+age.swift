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
}

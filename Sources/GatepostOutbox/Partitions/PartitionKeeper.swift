package import GatepostModel
package import GatepostStore
import Postgres

/// Makes the days to come, moves what fell into the default partitions, and drops the days that no app needs.
///
/// Each step is a short transaction as the tables' owner that waits for its locks for a second at most: whoever holds
/// one is not to be held up in turn. A step that gives up ends its part of the run; the next run goes on where it
/// stopped. Any number may run at once: one works, and the others find its work done.
package struct PartitionKeeper: Sendable {
    /// How many days are made ahead: so long may no worker run before a row falls into a default partition.
    package static let daysAhead: Int64 = 7
    /// How long a day is kept once no app needs it: a report that was begun before may still be reading it.
    package static let lateness: Duration = .days(1)
    /// How long a step waits for a lock.
    package static let lockTimeout: Duration = .seconds(1)
    /// How long a step may take in all; moving a million rows takes about half a minute.
    package static let stepDeadline: Duration = .minutes(10)
    /// How many days one run takes out of a default partition.
    package static let movedDaysMax = 100

    /// What a run has done.
    package struct Report: Sendable, Equatable {
        /// Partitions that it has made, by name.
        package fileprivate(set) var made: [String] = []
        /// Partitions that it has dropped, by name.
        package fileprivate(set) var dropped: [String] = []
        /// Rows that it has moved out of the default partitions.
        package fileprivate(set) var movedRowCount = 0

        /// Whether all was in order already.
        package var isEmpty: Bool { made.isEmpty && dropped.isEmpty && movedRowCount == 0 }
    }

    private let database: Database
    private let lockTimeout: Duration

    /// Wires the upkeep.
    ///
    /// - Parameters:
    ///   - database: Through a login role that is a member of `gatepost_owner`.
    ///   - lockTimeout: How long a step waits for a lock.
    package init(database: Database, lockTimeout: Duration = PartitionKeeper.lockTimeout) {
        (self.database, self.lockTimeout) = (database, lockTimeout)
    }

    /// Does what is due at a moment.
    ///
    /// - Parameter now: The moment: its day and the week after it are made, and ages are counted back from it.
    /// - Returns: What was done; nothing where all is in order.
    /// - Throws: What the first part met that could not be done; what the others have done stays done.
    package func run(at now: Instant) async throws -> Report {
        var report = Report()
        let life = try await longestLife()
        var failures: [any Error] = []
        // The days ahead come first and whatever happens: a default partition that fills up is ever harder to empty.
        for part in [makeDaysAhead, makeDaysWithRows, dropOldDays] {
            for table in PartitionedTable.allCases {
                do { try await part(table, now, life, &report) } catch { failures.append(error) }
            }
        }
        if let first = failures.first { throw first }
        return report
    }

    /// Makes what lies well ahead: only that is sure to have no row and to get none meanwhile.
    private func makeDaysAhead(
        of table: PartitionedTable, at now: Instant, life: Duration, _ report: inout Report
    ) async throws {
        let today = now.daysSince1970
        let strays = try await daysInDefault(of: table, from: today + 2)
        for day in Set(today + 2...today + Self.daysAhead).subtracting(try await days(of: table)).sorted() {
            try await make(
                CivilDate(daysSince1970: day), of: table, isAhead: !strays.contains(day), &report)
        }
    }

    /// Makes today, tomorrow, and the days whose rows lie in the default partition.
    private func makeDaysWithRows(
        of table: PartitionedTable, at now: Instant, life: Duration, _ report: inout Report
    ) async throws {
        // What is older than any app keeps is not worth a partition: the sweep takes it where it lies.
        let strays = try await daysInDefault(of: table, from: (now - life).daysSince1970)
        let wanted = strays.union([now.daysSince1970, now.daysSince1970 + 1])
        for day in wanted.subtracting(try await days(of: table)).sorted() {
            try await make(CivilDate(daysSince1970: day), of: table, isAhead: false, &report)
        }
    }

    private func dropOldDays(
        of table: PartitionedTable, at now: Instant, life: Duration, _ report: inout Report
    ) async throws {
        for day in try await days(of: table).sorted()
        where Instant(daysSince1970: day + 1) <= now - life - Self.lateness {
            try await drop(CivilDate(daysSince1970: day), of: table, &report)
        }
    }

    private func make(
        _ day: CivilDate, of table: PartitionedTable, isAhead: Bool, _ report: inout Report
    ) async throws {
        let moved: Int? = try await step { transaction in
            guard try await !isThere(table.partition(of: day), transaction) else { return nil }
            if isAhead {
                for statement in PartitionStatements.attachEmptyDay(day, to: table) {
                    _ = try await transaction.query(statement)
                }
                return 0
            }
            let columns = try await transaction.query(PartitionStatements.columns(of: table)).first?
                .get("list", as: String.self)
            var movedCount = 0
            for statement in PartitionStatements.makeDayAndMoveRows(day, in: table, columns: columns ?? "") {
                movedCount += try await transaction.query(statement).affectedCount
            }
            return movedCount
        }
        guard let moved else { return }
        report.made.append(table.partition(of: day))
        report.movedRowCount += moved
        guard moved > 0 else { return }
        // Until it is analyzed, the planner takes it for nearly empty: a page of the ledger then read a million rows.
        _ = try await step { try await $0.query(PartitionStatements.analyze(day, of: table)) }
    }

    private func drop(_ day: CivilDate, of table: PartitionedTable, _ report: inout Report) async throws {
        let isDropped = try await step { transaction in
            guard try await isThere(table.partition(of: day), transaction) else { return false }
            _ = try await transaction.query(PartitionStatements.drop(day, of: table))
            return true
        }
        if isDropped { report.dropped.append(table.partition(of: day)) }
    }

    /// One transaction, alone among all upkeeps and impatient with everybody else.
    private func step<Output: Sendable>(
        _ body: (SystemTransaction) async throws -> Output
    ) async throws -> Output {
        try await database.systemTransaction(as: .owner, deadline: Self.stepDeadline) { transaction in
            let milliseconds = Int(lockTimeout.microseconds / 1000)
            _ = try await transaction.query(PartitionStatements.limits(lockTimeoutMilliseconds: milliseconds))
            _ = try await transaction.query(PartitionStatements.lock)
            return try await body(transaction)
        }
    }

    private func isThere(_ name: String, _ transaction: SystemTransaction) async throws -> Bool {
        try await transaction.query(PartitionStatements.exists(name)).first?.get("is_there") ?? false
    }

    private func longestLife() async throws -> Duration {
        let seconds = try await database.system(as: .owner) { batch in
            batch.read(PartitionStatements.longestLife) { try $0.first?.get("seconds", as: Int64?.self) ?? nil }
        }
        return seconds.map { .seconds($0) } ?? Lifetimes.deliveryHistory
    }

    private func days(of table: PartitionedTable) async throws -> Set<Int64> {
        let names = try await database.system(as: .owner) { batch in
            batch.read(PartitionStatements.partitions(of: table)) { try $0.map { try $0.get("name", as: String.self) } }
        }
        return Set(names.compactMap { table.day(ofPartition: $0)?.daysSince1970 })
    }

    private func daysInDefault(of table: PartitionedTable, from day: Int64) async throws -> Set<Int64> {
        // No index leads by time there, so it reads the partition, which may take its while once it has filled up.
        let days = try await step { transaction in
            try await transaction.query(
                PartitionStatements.daysInDefault(of: table, from: day, limit: Self.movedDaysMax)
            ).map { try $0.get("day", as: Int64.self) }
        }
        return Set(days)
    }
}

extension Database {
    /// The most rows of a default partition that are counted; more is as bad.
    package static let defaultPartitionRowsMax = 100_000

    /// How many rows each default partition of the ledger holds, by its name; all zero where the upkeep does its work.
    ///
    /// A row there was settled on a day that nobody had made a partition for. Nothing is lost, and the next upkeep
    /// moves it; if it stays, no worker runs or the upkeep fails.
    package func defaultPartitionRowCounts() async throws -> [String: Int] {
        try await system(as: .owner) { batch in
            batch.read(PartitionStatements.defaultRowCounts(limit: Self.defaultPartitionRowsMax)) { rows in
                try rows.reduce(into: [:]) {
                    $0[try $1.get("name", as: String.self)] = try $1.get("count", as: Int.self)
                }
            }
        }
    }
}

package import GatepostModel
package import GatepostStore
import Postgres

/// The turn of one app in a lane.
package struct AppTurn: Sendable, Hashable {
    package let app: AppID
    /// No ready row of the app lies before it, as far as this worker knows; a hint, the table is the truth.
    package let floor: Instant

    /// States from where on an app has rows.
    package init(app: AppID, floor: Instant) {
        (self.app, self.floor) = (app, floor)
    }
}

/// What a discovery found.
package struct Discovered: Sendable {
    package let turns: [AppTurn]
    /// How many fresh rows it read; at the limit there are more, from `lastReadyAt` on.
    package let rowCount: Int
    package let lastReadyAt: Instant?
}

/// How much one statement of the queue touches at most; more is fetched by the next one.
package enum OutboxLimits {
    /// Fresh rows that one discovery reads.
    package static let discoveredRowsMax = 5000
    /// Waiting rows that one promotion makes ready.
    package static let promotedRowsMax = 1000
    /// Apps whose rows one claim takes.
    package static let claimedAppsMax = 100
    /// Apps that one full look lists.
    package static let lookedAtAppsMax = 100_000
    /// Messages that one statement settles.
    package static let settledRowsMax = 200
}

/// Which message, in which claim.
package struct ClaimKey: Hashable, Sendable {
    let app: AppID
    let message: MessageID
    let number: Int32

    /// Names the claim by which a worker holds a message.
    package init(_ message: ClaimedMessage) {
        (app, self.message, number) = (message.app, message.id, message.claimNumber)
    }

    init(_ row: PostgresRow) throws {
        (app, message, number) = (try row.get("app_id"), try row.get("id"), try row.get("claim_number"))
    }
}

/// What became of a message between its claim and the start of its attempt.
package enum ClaimStanding: Sendable {
    /// It is this claim's still.
    case standing
    /// Somebody wants it kept from being sent.
    case held
}

extension SystemBatch {
    /// Makes waiting rows ready that fell due: a retry, a schedule, the end of a lease.
    ///
    /// - Parameters:
    ///   - floor: Rows due before it have been looked at; nil for a full look. The front of the index may be dead rows
    ///     that a held snapshot keeps.
    ///   - now: What they are due by, and when they become ready.
    /// - Returns: How many; at `OutboxLimits.promotedRowsMax` there may be more.
    package mutating func promoteDue(since floor: Instant?, at now: Instant) -> BatchReading<Int> {
        read(ClaimStatements.promote(since: floor, at: now)) { $0.affectedCount }
    }

    /// Finds the apps that have rows of a lane which became ready since a moment.
    package mutating func discover(
        _ lane: Lane, since floor: Instant, at now: Instant
    ) -> BatchReading<Discovered> {
        read(ClaimStatements.discover(lane, since: floor, at: now)) { rows in
            Discovered(
                turns: try rows.map { AppTurn(app: try $0.get("app_id"), floor: try $0.get("floor")) },
                rowCount: try rows.reduce(0) { try $0 + $1.get("row_count", as: Int.self) },
                lastReadyAt: try rows.map { try $0.get("last_ready_at", as: Instant.self) }.max())
        }
    }

    /// Lists the apps that have ready rows of a lane, from app to app, without a floor.
    ///
    /// It finds what the discovery's floor missed, such as the rows of a transaction that took long to commit. The
    /// only statement whose time grows under a held snapshot (230 ms at 470,000 dead rows), so it runs beside the loop.
    package mutating func lookForApps(_ lane: Lane) -> BatchReading<[AppTurn]> {
        read(ClaimStatements.lookForApps(lane)) { rows in
            try rows.map { AppTurn(app: try $0.get("app_id"), floor: try $0.get("floor")) }
        }
    }

    /// Claims rows of the apps whose turn it is, oldest first in each; they wait until the lease ends.
    ///
    /// - Parameters:
    ///   - lane: The lane.
    ///   - turns: At most `OutboxLimits.claimedAppsMax` apps.
    ///   - rowsPerApp: How many rows of each.
    ///   - leaseEnd: When they fall due again unless they are settled before.
    /// - Returns: What was claimed; nobody else has these rows now.
    package mutating func claim(
        _ lane: Lane, of turns: [AppTurn], rowsPerApp: Int, leaseEnd: Instant
    ) -> BatchReading<[ClaimedMessage]> {
        read(ClaimStatements.claim(lane, of: turns, rowsPerApp: rowsPerApp, leaseEnd: leaseEnd)) { rows in
            try rows.map { try ClaimedMessage($0, leaseEnd: leaseEnd) }
        }
    }

    /// Asks which claims still stand, at the moment their attempts are to start.
    ///
    /// What is missing is no longer this worker's: somebody took it back, or another worker has it.
    package mutating func standing(_ claims: [ClaimKey]) -> BatchReading<[ClaimKey: ClaimStanding]> {
        read(ClaimStatements.standing(claims)) { rows in
            try rows.reduce(into: [:]) { standings, row in
                standings[try ClaimKey(row)] = try row.get("is_held", as: Bool.self) ? .held : .standing
            }
        }
    }
}

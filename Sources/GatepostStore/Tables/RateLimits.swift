import Crypto
package import GatepostModel
import Postgres

extension AppBatch {
    /// Counts one try against each of several budgets.
    ///
    /// To be run in a batch that commits on its own before the work, and last in it: a row may be one that many callers
    /// share, and it is locked until the end. Rows are locked narrow before wide and in the order of their keys, so
    /// that two callers never wait for each other.
    package mutating func spend(_ budgets: RateBudgets, at now: Instant) -> BatchReading<RateLimitVerdict> {
        let all = Self.asked(budgets, at: now)
        let isNotYetForgotten: SQL = "r.expires_at > \(now)"
        func counted(_ condition: SQL) -> SQL {
            """
            insert into rate_limits as r (app_id, key_hash, window_at, count, expires_at)
            select \(scope.appID), a.key_hash, a.window_at, 1, a.expires_at
              from asked as a
             where \(condition)
             order by a.position
            on conflict (app_id, key_hash, window_at) do update
               set count = case when \(isNotYetForgotten) then least(r.count, 1000000) + 1 else 1 end,
                   expires_at = case when r.window_at = \(Self.streakWindow) and \(isNotYetForgotten)
                                      and r.count >= (select a.tries from asked as a
                                                       where a.key_hash = excluded.key_hash)
                                     then r.expires_at else excluded.expires_at end
            returning key_hash, count, expires_at
            """
        }
        let refusing: SQL = """
            select from narrow as n join asked as b on b.key_hash = n.key_hash where n.count > b.tries
            """
        return read(
            """
            with \(Self.rows(all)),
                 narrow as (\(counted("not a.is_wide"))),
                 wide as (\(counted("a.is_wide and not exists (\(refusing))")))
            select key_hash, count, expires_at from narrow
            union all
            select key_hash, count, expires_at from wide
            """
        ) { rows in
            let counts = try rows.map { row in
                Count(
                    keyHash: try row.get("key_hash"), count: try row.get("count"), expiresAt: try row.get("expires_at"))
            }
            return Self.verdict(all, counts, at: now)
        }
    }

    /// Counts one try against one limit.
    package mutating func spend(
        _ limit: RateLimit, for subject: String, at now: Instant
    ) -> BatchReading<RateLimitVerdict> {
        spend(RateBudgets(narrow: [RateBudget(limit, for: subject)]), at: now)
    }

    /// Gives a try back to each budget: it was no guess, it succeeded.
    ///
    /// A streak ends with it. An insert, though the rows are there: so they are locked in the same order as when they
    /// were spent.
    package mutating func refund(_ budgets: RateBudgets, at now: Instant) {
        putBack(budgets, at: now, endsStreaks: true)
    }

    /// Gives a try back to each budget that came to nothing: it was never compared.
    ///
    /// A streak goes on: nobody has proved anything.
    package mutating func giveBack(_ budgets: RateBudgets, at now: Instant) {
        putBack(budgets, at: now, endsStreaks: false)
    }

    private mutating func putBack(_ budgets: RateBudgets, at now: Instant, endsStreaks: Bool) {
        add(
            """
            with \(Self.rows(Self.asked(budgets, at: now)))
            insert into rate_limits as r (app_id, key_hash, window_at, count, expires_at)
            select \(scope.appID), a.key_hash, a.window_at, 0, a.expires_at from asked as a order by a.position
            on conflict (app_id, key_hash, window_at) do update
               set count = case when \(endsStreaks) and r.window_at = \(Self.streakWindow) then 0
                                else greatest(r.count - 1, 0) end
            """)
    }

    /// Gives one try back to one limit.
    package mutating func refund(_ limit: RateLimit, for subject: String, at now: Instant) {
        refund(RateBudgets(narrow: [RateBudget(limit, for: subject)]), at: now)
    }

    /// A streak has one row for ever, whose window begins nowhere.
    private static let streakWindow = Instant(microseconds: 0)

    private struct Asked {
        let limit: RateLimit
        let isWide: Bool
        let keyHash: [UInt8]
        let windowAt: Instant
        let expiresAt: Instant
    }

    private struct Count {
        let keyHash: [UInt8]
        let count: Int32
        let expiresAt: Instant
    }

    private static func asked(_ budgets: RateBudgets, at now: Instant) -> [Asked] {
        func sorted(_ part: [RateBudget], isWide: Bool) -> [Asked] {
            part.map { budget -> Asked in
                let limit = budget.limit
                let start =
                    limit.memory == .streak
                    ? now : Instant(microseconds: now.microseconds - now.microseconds % limit.window.microseconds)
                return Asked(
                    limit: limit, isWide: isWide,
                    keyHash: Array(SHA256.hash(data: Array("\(limit.name)\u{0}\(budget.subject)".utf8))),
                    windowAt: limit.memory == .streak ? streakWindow : start, expiresAt: start + limit.window)
            }.sorted { $0.keyHash.lexicographicallyPrecedes($1.keyHash) }
        }
        return sorted(budgets.narrow, isWide: false) + sorted(budgets.wide, isWide: true)
    }

    /// Values and no arrays, so that the benchmarks can tell what varies from try to try.
    private static func rows(_ all: [Asked]) -> SQL {
        let rows = all.enumerated().map { position, asked -> SQL in
            """
            (\(asked.keyHash)::bytea, \(asked.limit.tries)::integer, \(asked.windowAt)::timestamptz,
            \(asked.expiresAt)::timestamptz, \(asked.isWide)::boolean, \(Int32(position))::integer)
            """
        }
        return """
            asked (key_hash, tries, window_at, expires_at, is_wide, position)
              as materialized (values \(SQL.joined(rows)))
            """
    }

    private static func verdict(_ all: [Asked], _ counts: [Count], at now: Instant) -> RateLimitVerdict {
        let readings = all.compactMap { asked -> RateLimitVerdict? in
            guard let row = counts.first(where: { $0.keyHash == asked.keyHash }) else { return nil }
            let isAllowed = row.count <= asked.limit.tries
            // What is left of a wide budget would tell what others do.
            guard !isAllowed || !asked.isWide else { return nil }
            return RateLimitVerdict(
                asked.limit, remaining: max(0, asked.limit.tries - row.count), resetsAfter: row.expiresAt - now,
                isAllowed: isAllowed, isFirstRefusal: row.count == asked.limit.tries + 1)
        }
        let refusing = readings.filter { !$0.isAllowed }.max { $0.resetsAfter < $1.resetsAfter }
        // A budget without a row is never there: each try is counted at least once.
        return refusing ?? readings.min { $0.remaining < $1.remaining }
            ?? RateLimitVerdict(
                RateLimit("none", tries: 0, per: .seconds(1)), remaining: 0, resetsAfter: .seconds(1),
                isAllowed: false)
    }
}

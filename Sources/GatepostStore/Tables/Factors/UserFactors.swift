package import GatepostModel
import Postgres

/// An authenticator of a user's as its row says.
package struct UserFactorRecord: Sendable {
    package let id: UserFactorID
    package let seedSealed: [UInt8]
    package let createdAt: Instant
    /// When its first code was typed; nil until then.
    package let confirmedAt: Instant?
    package let lastUsedAt: Instant?

    init(_ row: PostgresRow) throws {
        (id, seedSealed) = (try row.get("id"), try row.get("seed_sealed"))
        (createdAt, confirmedAt) = (try row.get("created_at"), try row.get("confirmed_at"))
        lastUsedAt = try row.get("last_used_at")
    }
}

private let columns: SQL = "id, seed_sealed, created_at, confirmed_at, last_used_at"

extension AppBatch {
    /// Writes down an authenticator that waits for its first code, in place of another one that waits.
    ///
    /// - Parameters:
    ///   - id: The new one's id, for whose row the seed is sealed.
    ///   - user: Whose.
    ///   - beginner: Whose it is until then: the session, or the challenge of the sign-in, that it was begun in.
    ///   - seedSealed: The seed.
    ///   - now: The moment.
    package mutating func insertPendingFactor(
        _ id: UserFactorID, of user: UserID, begunBy beginner: UUIDBits, seedSealed: [UInt8], at now: Instant
    ) {
        add(
            """
            insert into user_factors (app_id, id, user_id, kind, begun_by, seed_sealed, created_at, expires_at)
            values (\(scope.appID), \(id), \(user), 'totp', \(beginner), \(seedSealed), \(now),
                    \(now + Lifetimes.factorChallenge))
            on conflict (app_id, user_id) where confirmed_at is null do update
               set id = excluded.id, begun_by = excluded.begun_by, seed_sealed = excluded.seed_sealed,
                   created_at = excluded.created_at, expires_at = excluded.expires_at
            """)
    }

    /// The authenticator of a user; nil for none.
    package mutating func factor(of user: UserID) -> BatchReading<UserFactorRecord?> {
        read(
            """
            select \(columns) from user_factors
             where app_id = \(scope.appID) and user_id = \(user) and confirmed_at is not null
            """
        ) { try $0.first.map(UserFactorRecord.init) }
    }

    /// The authenticator that waits for its first code; nil if none does, and for whoever has not begun it.
    package mutating func pendingFactor(
        of user: UserID, begunBy beginner: UUIDBits, at now: Instant
    ) -> BatchReading<UserFactorRecord?> {
        read(
            """
            select \(columns) from user_factors
             where app_id = \(scope.appID) and user_id = \(user) and confirmed_at is null and begun_by = \(beginner)
               and expires_at > \(now)
            """
        ) { try $0.first.map(UserFactorRecord.init) }
    }

    /// Locks a user whose factors are about to be changed, if they are still who they were when that was asked for.
    ///
    /// - Returns: Whether they are: active, and of this epoch.
    package mutating func lockForFactors(_ user: UserID, epoch: Int32?) -> BatchReading<Bool> {
        let same: SQL = epoch.map { "and auth_epoch = \($0)" } ?? ""
        return read(
            """
            select id from users
             where app_id = \(scope.appID) and id = \(user) and state = 'active' \(same)
               for no key update
            """
        ) { $0.first != nil }
    }

    /// Makes the authenticator that waits the user's own, in place of the one that they had.
    ///
    /// The step of the first code counts as used. Of any number of racing callers one does it.
    ///
    /// - Parameters:
    ///   - id: The one that waits.
    ///   - user: Whose.
    ///   - step: The step whose code was typed.
    ///   - replaces: Whether there may be one already; without, nothing is done where there is.
    ///   - now: The moment.
    /// - Returns: Whether it was done.
    package mutating func confirmFactor(
        _ id: UserFactorID, of user: UserID, step: Int64, replaces: Bool, at now: Instant
    ) -> BatchReading<Bool> {
        if replaces {
            add(
                """
                delete from user_factors as old
                 where old.app_id = \(scope.appID) and old.user_id = \(user) and old.confirmed_at is not null
                   and exists (select from user_factors as new
                                where new.app_id = old.app_id and new.id = \(id) and new.user_id = old.user_id
                                  and new.confirmed_at is null and new.expires_at > \(now))
                """)
        }
        return read(
            """
            update user_factors as f
               set confirmed_at = \(now), expires_at = null, begun_by = null, last_step = \(step), last_used_at = \(now)
             where f.app_id = \(scope.appID) and f.id = \(id) and f.user_id = \(user) and f.confirmed_at is null
               and f.expires_at > \(now)
               and not exists (select from user_factors as old
                                where old.app_id = f.app_id and old.user_id = f.user_id
                                  and old.confirmed_at is not null)
            """
        ) { $0.affectedCount == 1 }
    }

    /// Takes a step of an authenticator, once: none that is not later than the last one (RFC 6238, section 5.2).
    ///
    /// - Returns: Whether this caller took it; of any number of racing ones, one does.
    package mutating func takeStep(
        _ step: Int64, of id: UserFactorID, at now: Instant
    ) -> BatchReading<Bool> {
        read(
            """
            update user_factors set last_step = \(step), last_used_at = \(now)
             where app_id = \(scope.appID) and id = \(id) and confirmed_at is not null and last_step < \(step)
            """
        ) { $0.affectedCount == 1 }
    }

    /// Seals a seed anew, under the key of today.
    package mutating func resealSeed(_ seedSealed: [UInt8], of id: UserFactorID) {
        add("update user_factors set seed_sealed = \(seedSealed) where app_id = \(scope.appID) and id = \(id)")
    }

    /// Takes away whatever second factor a user has, with its recovery codes.
    ///
    /// - Returns: Whether there was one.
    package mutating func deleteFactors(of user: UserID) -> BatchReading<Bool> {
        deleteRecoveryCodes(of: user)
        return read(
            """
            with gone as (delete from user_factors where app_id = \(scope.appID) and user_id = \(user)
                          returning confirmed_at)
            select count(confirmed_at) > 0 as had from gone
            """
        ) { try $0.first?.get("had") ?? false }
    }
}

package import GatepostModel
import Postgres

extension AppBatch {
    /// Takes a user's recovery codes away.
    mutating func deleteRecoveryCodes(of user: UserID) {
        add("delete from recovery_codes where app_id = \(scope.appID) and user_id = \(user)")
    }

    /// Gives a user other recovery codes; the ones before work no more.
    package mutating func replaceRecoveryCodes(of user: UserID, by hashes: [[UInt8]], at now: Instant) {
        deleteRecoveryCodes(of: user)
        for hash in hashes {
            add(
                """
                insert into recovery_codes (app_id, user_id, code_hash, created_at)
                values (\(scope.appID), \(user), \(hash), \(now))
                """)
        }
    }

    /// Uses a recovery code up, if its user has an authenticator that it stands in for.
    ///
    /// - Returns: Whether this caller used it; of any number of racing ones, one does.
    package mutating func consumeRecoveryCode(
        _ hash: [UInt8], of user: UserID, at now: Instant
    ) -> BatchReading<Bool> {
        read(
            """
            update recovery_codes as c set used_at = \(now)
             where c.app_id = \(scope.appID) and c.user_id = \(user) and c.code_hash = \(hash) and c.used_at is null
               and exists (select from user_factors as f
                            where f.app_id = c.app_id and f.user_id = c.user_id and f.confirmed_at is not null)
            """
        ) { $0.affectedCount == 1 }
    }

    /// How many recovery codes a user has left.
    package mutating func recoveryCodeCount(of user: UserID) -> BatchReading<Int64> {
        read(
            """
            select count(*) as left_over from recovery_codes
             where app_id = \(scope.appID) and user_id = \(user) and used_at is null
            """
        ) { try $0.first?.get("left_over") ?? 0 }
    }
}

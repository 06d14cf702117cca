package import GatepostModel
import Postgres

extension AppBatch {
    /// The password of a user; nil for one who is not there.
    package mutating func passwordCredential(ofUser user: UserID) -> BatchReading<PasswordCredential?> {
        read(
            """
            select u.id, u.auth_epoch, u.state = 'deactivated' as is_deactivated, coalesce(c.version, 0) as version,
                   c.password_hash
              from users as u
              left join credentials as c on c.app_id = u.app_id and c.user_id = u.id and c.kind = 'password'
             where u.app_id = \(scope.appID) and u.id = \(user)
            """
        ) { try $0.first.map(PasswordCredential.init) }
    }

    /// Replaces a password, if user, epoch and password are still those that were proved.
    ///
    /// The user is locked first, as wherever both are written: two orders could lock each other out.
    ///
    /// - Returns: Whether it was done.
    package mutating func changePassword(
        _ passwordHash: String, provedBy credential: PasswordCredential, at now: Instant
    ) -> BatchReading<Bool> {
        read(
            """
            with u as materialized (
                   select app_id, id from users
                    where app_id = \(scope.appID) and id = \(credential.userID) and state = 'active'
                      and auth_epoch = \(credential.authEpoch)
                      for no key update)
            update credentials as c
               set password_hash = \(passwordHash), version = c.version + 1, changed_at = \(now)
              from u
             where c.app_id = u.app_id and c.user_id = u.id and c.kind = 'password'
               and c.version = \(credential.version)
            """
        ) { $0.affectedCount == 1 }
    }
}

package import GatepostModel
import Postgres

extension AppBatch {
    /// Marks a user's address as proved unless it is; whatever carries the older epoch is then dead.
    ///
    /// - Returns: Whether this changed anything.
    package mutating func verifyAddress(of id: UserID, at now: Instant) -> BatchReading<Bool> {
        read(
            """
            update users set email_verified_at = \(now), auth_epoch = auth_epoch + 1
             where app_id = \(scope.appID) and id = \(id) and email_verified_at is null
            """
        ) { $0.affectedCount == 1 }
    }

    /// Raises a user's epoch for a new password, and marks the address as proved, which a reset does by the way.
    package mutating func raiseEpoch(ofVerified id: UserID, at now: Instant) {
        add(
            """
            update users set auth_epoch = auth_epoch + 1, email_verified_at = coalesce(email_verified_at, \(now))
             where app_id = \(scope.appID) and id = \(id)
            """)
    }

    /// Gives a user another address, which has been proved, and raises the epoch.
    ///
    /// - Returns: Whether it was done; not where the app has another user of that address, or has this one no more.
    package mutating func changeAddress(
        of id: UserID, to email: EmailAddress, at now: Instant
    ) -> BatchReading<Bool> {
        read(
            """
            update users set email = \(email.canonical), email_entered = \(email.ascii), email_verified_at = \(now),
                   auth_epoch = auth_epoch + 1
             where app_id = \(scope.appID) and id = \(id) and state = 'active'
               and not exists (select from users as o
                                where o.app_id = \(scope.appID) and o.email = \(email.canonical) and o.id <> \(id))
            """
        ) { $0.affectedCount == 1 }
    }
}

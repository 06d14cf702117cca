package import GatepostModel
package import Postgres

extension AppBatch {
    /// Lets the sessions that still live go on after their user's epoch was raised in this very transaction.
    ///
    /// Only those of the epoch just before: what was dead stays dead. Their refresh tokens are stamped by
    /// `stampRefreshTokens`.
    package mutating func stampSessions(of user: UserID) {
        add(
            """
            update sessions as s set auth_epoch = u.auth_epoch
              from users as u
             where s.app_id = \(scope.appID) and s.user_id = \(user) and s.ended_at is null
               and u.app_id = s.app_id and u.id = s.user_id and s.auth_epoch = u.auth_epoch - 1
            """)
    }

    /// The statement that ends all sessions of a user but one; see `Outbox+sessions` for what is owed with it.
    package func endingSessions(
        of user: UserID, except kept: SessionID?, reason: SessionEndReason, at now: Instant
    ) -> SQL {
        ending("user_id = \(user) and id is distinct from \(kept)", reason, at: now)
    }
}

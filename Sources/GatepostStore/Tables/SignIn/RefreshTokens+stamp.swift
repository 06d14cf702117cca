package import GatepostModel
import Postgres

extension AppBatch {
    /// Lets the refresh tokens of a user's living sessions go on after the epoch was raised in this very transaction.
    ///
    /// Twice: the first waits for an exchange that is under way, whose new token only the second one sees.
    package mutating func stampRefreshTokens(of user: UserID) {
        for _ in 0..<2 {
            add(
                """
                update refresh_tokens as t set auth_epoch = u.auth_epoch
                  from users as u
                  join sessions as s on s.app_id = u.app_id and s.user_id = u.id and s.ended_at is null
                  join token_families as f on f.app_id = s.app_id and f.session_id = s.id and f.ended_at is null
                 where u.app_id = \(scope.appID) and u.id = \(user)
                   and t.app_id = f.app_id and t.family_id = f.id and t.auth_epoch = u.auth_epoch - 1
                """)
        }
    }
}

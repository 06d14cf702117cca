package import GatepostModel
import Postgres

extension AppBatch {
    /// Lets a user's codes for one client expire that have not been exchanged.
    ///
    /// Whoever exchanges one at this moment is waited for, so what it gave is there for the statements that follow.
    package mutating func expireAuthorizationCodes(of user: UserID, for client: ClientID, at now: Instant) {
        add(
            """
            update authorization_codes set expires_at = least(expires_at, \(now))
             where app_id = \(scope.appID) and user_id = \(user) and client_id = \(client)
               and redeemed_at is null and expires_at > \(now)
            """)
    }
}

package import GatepostModel
import Postgres

/// What is known of a user whose session lives, as far as a client may be told.
package struct UserClaims: Sendable {
    package let userID: UserID
    package let email: String
    package let emailIsVerified: Bool
    package let locale: String?
    /// What else the app's settings let a client be told.
    package let told: ToldClaims
    /// Whose the client is, where it knows users by pairwise subjects.
    package let sector: String?
    /// Where the client's scripts run.
    package let webOrigins: [String]
}

extension AppBatch {
    /// What is known of the user of a client's session, if that may be used now.
    package mutating func userClaims(
        ofSession id: SessionID, of user: UserID?, at now: Instant
    ) -> BatchReading<UserClaims?> {
        read(
            """
            select u.id, u.email_entered, u.email_verified_at is not null as is_verified, u.locale, c.sector,
                   c.web_origins
                   \(toldColumns())
              from sessions as s
              join users as u on u.app_id = s.app_id and u.id = s.user_id
              join clients as c on c.app_id = s.app_id and c.id = s.client_id
             where s.app_id = \(scope.appID) and s.id = \(id) and s.user_id = coalesce(\(user)::uuid, s.user_id)
               and \(sessionStands(at: now))
            """
        ) { [scope] rows in
            try rows.first.map { row in
                UserClaims(
                    userID: try row.get("id"), email: try row.get("email_entered"),
                    emailIsVerified: try row.get("is_verified"), locale: try row.get("locale"),
                    told: try Self.told(row, in: scope), sector: try row.get("sector"),
                    webOrigins: try row.get("web_origins"))
            }
        }
    }
}

package import GatepostModel
import Postgres

extension AppBatch {
    /// Ends the families of a user's sessions with one client.
    package mutating func endTokenFamilies(
        of user: UserID, with client: ClientID, reason: SessionEndReason, at now: Instant
    ) {
        add(
            """
            update token_families as f set ended_at = \(now), end_reason = \(reason.rawValue)
              from sessions as s
             where s.app_id = \(scope.appID) and s.user_id = \(user) and s.client_id = \(client)
               and f.app_id = s.app_id and f.session_id = s.id and f.ended_at is null
            """)
    }
}

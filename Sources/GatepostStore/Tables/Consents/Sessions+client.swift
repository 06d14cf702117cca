package import GatepostModel
package import Postgres

extension AppBatch {
    /// The statement that ends a user's sessions with one client; see `Outbox+sessions` for what is owed with it.
    package func endingSessions(
        of user: UserID, with client: ClientID, reason: SessionEndReason, at now: Instant
    ) -> SQL {
        ending("user_id = \(user) and client_id = \(client)", reason, at: now)
    }

    /// Whose a client's session is or was; nil where it is no longer known.
    package mutating func user(ofSession id: SessionID, with client: ClientID) -> BatchReading<UserID?> {
        read(
            """
            select user_id from sessions where app_id = \(scope.appID) and id = \(id) and client_id = \(client)
            """
        ) { try $0.first?.get("user_id") }
    }
}

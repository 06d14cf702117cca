package import GatepostModel
import Postgres

extension AppBatch {
    /// Marks a client's signed proof as used; of any number of racing callers, on whichever nodes, one does it.
    ///
    /// - Returns: Whether this was its first use.
    package mutating func useClientAssertion(
        _ jtiHash: [UInt8], of client: ClientID, expiresAt: Instant
    ) -> BatchReading<Bool> {
        read(
            """
            insert into client_assertions (app_id, client_id, jti_hash, expires_at)
            values (\(scope.appID), \(client), \(jtiHash), \(expiresAt))
            on conflict do nothing
            """
        ) { $0.affectedCount == 1 }
    }
}

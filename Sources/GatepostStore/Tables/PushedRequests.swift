package import GatepostModel
import Postgres

/// A client's request that it has sent itself, before the browser comes.
package struct NewPushedRequest: Sendable {
    package let token: OneTimeToken
    package let clientID: ClientID
    /// The parameters, as `AuthorizationParameters` writes them.
    package let parameters: String
    package let at: Instant

    /// Describes a request that is to be kept for a minute.
    package init(token: OneTimeToken, clientID: ClientID, parameters: String, at: Instant) {
        (self.token, self.clientID, self.parameters, self.at) = (token, clientID, parameters, at)
    }
}

extension AppBatch {
    /// Writes down what a client asks for.
    package mutating func insertPushedRequest(_ new: NewPushedRequest) {
        add(
            """
            insert into pushed_requests (app_id, token_hash, client_id, parameters, created_at, expires_at)
            values (\(scope.appID), \(new.token.hash), \(new.clientID), \(new.parameters), \(new.at),
                    \(new.at + Lifetimes.pushedRequest))
            """)
    }

    /// Uses a pushed request up and reads its parameters; one of any number of racing callers gets them.
    package mutating func consumePushedRequest(
        _ token: OneTimeToken, of client: ClientID, at now: Instant
    ) -> BatchReading<String?> {
        read(
            """
            update pushed_requests set used_at = \(now)
             where app_id = \(scope.appID) and token_hash = \(token.hash) and client_id = \(client)
               and used_at is null and expires_at > \(now)
            returning parameters
            """
        ) { try $0.first?.get("parameters") }
    }
}

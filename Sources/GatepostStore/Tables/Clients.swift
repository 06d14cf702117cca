package import GatepostModel
import Postgres

/// A client and where it may be sent back to.
package struct ClientRecord: Sendable {
    package let id: ClientID
    package let name: String
    package let redirectURIs: [String]

    /// Whether this is exactly one of its registered URIs.
    package func allows(_ redirectURI: String) -> Bool { registration(of: redirectURI) != nil }

    /// The registered URI that this one is, but for the port of a loopback address; nil if it is none.
    package func registration(of redirectURI: String) -> String? {
        redirectURIs.first { RedirectURI($0)?.matches(redirectURI) ?? false }
    }
}

extension AppBatch {
    /// Registers a client.
    package mutating func insertClient(
        _ id: ClientID, named name: String, redirectURIs: [RedirectURI], at now: Instant
    ) {
        add(
            """
            insert into clients (app_id, id, name, created_at) values (\(scope.appID), \(id), \(name), \(now))
            """)
        add(
            """
            insert into client_redirect_uris (app_id, client_id, uri)
            select \(scope.appID), \(id), uri from unnest(\(redirectURIs.map(\.text))) as uri
            on conflict do nothing
            """)
    }

    /// One client; nil if the app has no such client.
    package mutating func client(_ id: ClientID) -> BatchReading<ClientRecord?> {
        read(clientsSelect(where: "and c.id = \(id)")) { try $0.first.map(ClientRecord.init) }
    }

    /// All clients of the app, oldest first.
    package mutating func clients() -> BatchReading<[ClientRecord]> {
        read(clientsSelect(where: "")) { try $0.map(ClientRecord.init) }
    }

    /// What people know the app by: its name, and the names of its clients.
    package mutating func knownNames() -> BatchReading<[String]> {
        read(
            """
            select name from apps where id = \(scope.appID)
            union all
            (select name from clients where app_id = \(scope.appID) order by created_at, id limit 100)
            """
        ) { try $0.map { try $0.get("name") } }
    }

    private func clientsSelect(where condition: SQL) -> SQL {
        """
        select c.id, c.name,
               array(select u.uri from client_redirect_uris as u
                      where u.app_id = c.app_id and u.client_id = c.id order by u.uri) as redirect_uris
          from clients as c
         where c.app_id = \(scope.appID) \(condition)
         order by c.created_at, c.id
         limit 1000
        """
    }
}

extension ClientRecord {
    init(_ row: PostgresRow) throws {
        self.init(id: try row.get("id"), name: try row.get("name"), redirectURIs: try row.get("redirect_uris"))
    }
}

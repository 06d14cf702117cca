package import GatepostModel
import Postgres

/// Whether a client can keep a secret (RFC 6749, section 2.1).
package enum ClientType: String, Sendable, Codable, CaseIterable {
    /// In a browser or on people's devices: it proves by PKCE that it began what it ends.
    case `public`
    /// On a server of the app's: it proves itself as well.
    case confidential
}

/// Whose a client is, which decides who is asked.
package enum ClientParty: String, Sendable, Codable, CaseIterable {
    /// The app's own: whoever signs in is asked nothing more.
    case first = "first_party"
    /// Somebody else's: each user says first what it may be told.
    case third = "third_party"
}

/// A client and where it may be sent back to.
package struct ClientRecord: Sendable {
    /// The most clients that an app has.
    package static let countMax = 200

    package let id: ClientID
    /// What people read, and whether it can keep a secret.
    package let name: String
    package let type: ClientType
    package let party: ClientParty
    /// Whose it is as far as pairwise subjects go; nil for a client that knows users by their ids.
    package let sector: String?
    /// The public keys of a client that proves itself by signing (RFC 7517); nil for any other.
    package let keySet: String?
    /// What its ID tokens are signed with.
    package let idTokenAlgorithm: SigningAlgorithm
    /// Whether it has to push what it asks for (RFC 9126).
    package let requiresPushed: Bool
    package let redirectURIs: [String]
    /// Where its scripts run that may read answers across origins.
    package let webOrigins: [String]
    /// Where a browser may go after it was signed out.
    package let postLogoutURIs: [String]
    package let createdAt: Instant

    /// How it knows users.
    package var subjectType: SubjectType { sector == nil ? .public : .pairwise }

    /// The one sector that redirect URIs are of: their host (OpenID Connect Core, 8.1); nil for several or none.
    package static func sector(of redirectURIs: [RedirectURI]) -> String? {
        let places = Set(redirectURIs.map(\.place))
        return places.count == 1 ? places.first : nil
    }

    /// Whether this is exactly one of its registered URIs.
    package func allows(_ redirectURI: String) -> Bool { registration(of: redirectURI) != nil }

    /// The registered URI that this one is, but for the port of a loopback address; nil if it is none.
    package func registration(of redirectURI: String) -> String? {
        redirectURIs.first { RedirectURI($0)?.matches(redirectURI) ?? false }
    }
}

/// What is to be different about a client; nil leaves as it is.
package struct ClientChange: Sendable {
    package var name: String?
    package var party: ClientParty?
    package var subjectType: SubjectType?
    package var redirectURIs: [RedirectURI]?
    package var keySet: String?
    package var idTokenAlgorithm: SigningAlgorithm?
    package var requiresPushed: Bool?
    package var webOrigins: [WebOrigin]?
    package var postLogoutURIs: [RedirectURI]?

    /// Changes nothing yet.
    package init() {}

    /// What it names, as the audit trail calls it.
    package var fieldNames: [String] {
        [
            name.map { _ in "name" }, party.map { _ in "party" },
            subjectType.map { _ in "subject_type" }, redirectURIs.map { _ in "redirect_uris" },
            keySet.map { _ in "jwks" }, idTokenAlgorithm.map { _ in "id_token_signed_response_alg" },
            requiresPushed.map { _ in "requires_pushed_requests" }, webOrigins.map { _ in "web_origins" },
            postLogoutURIs.map { _ in "post_logout_redirect_uris" },
        ].compactMap(\.self)
    }
}

extension AppBatch {
    /// Registers a client.
    ///
    /// ES256 unless something else is named, because that key is there with every app; who names RS256 sees to it that
    /// the app has one for it.
    package mutating func insertClient(
        _ id: ClientID, named name: String, type: ClientType = .public, party: ClientParty = .first,
        sector: String? = nil, keySet: String? = nil, idTokenAlgorithm: SigningAlgorithm = .es256,
        redirectURIs: [RedirectURI], at now: Instant
    ) {
        add(
            """
            insert into clients (app_id, id, name, type, party, sector, key_set, id_token_signed_response_alg,
                                 created_at)
            values (\(scope.appID), \(id), \(name), \(type.rawValue), \(party.rawValue), \(sector), \(keySet),
                    \(idTokenAlgorithm.rawValue), \(now))
            """)
        insertRedirectURIs(redirectURIs, of: id)
    }

    private mutating func insertRedirectURIs(_ redirectURIs: [RedirectURI], of id: ClientID) {
        add(
            """
            insert into client_redirect_uris (app_id, client_id, uri)
            select \(scope.appID), \(id), uri from unnest(\(redirectURIs.map(\.text))) as uri
            on conflict do nothing
            """)
    }

    /// Changes what is named of a client; its sector is that of what it has then.
    package mutating func changeClient(_ id: ClientID, _ change: ClientChange, sector: String?) {
        add(
            """
            update clients set name = coalesce(\(change.name), name), key_set = coalesce(\(change.keySet), key_set),
                               party = coalesce(\(change.party?.rawValue), party), sector = \(sector),
                               id_token_signed_response_alg = coalesce(\(change.idTokenAlgorithm?.rawValue),
                                                                       id_token_signed_response_alg),
                               requires_pushed = coalesce(\(change.requiresPushed), requires_pushed)
             where app_id = \(scope.appID) and id = \(id)
            """)
        if let origins = change.webOrigins {
            add(
                """
                update clients set web_origins = \(origins.map(\.text)) where app_id = \(scope.appID) and id = \(id)
                """)
        }
        if let uris = change.postLogoutURIs {
            add(
                """
                update clients set post_logout_uris = \(uris.map(\.text)) where app_id = \(scope.appID) and id = \(id)
                """)
        }
        guard let redirectURIs = change.redirectURIs else { return }
        add("delete from client_redirect_uris where app_id = \(scope.appID) and client_id = \(id)")
        insertRedirectURIs(redirectURIs, of: id)
    }

    /// Whether an origin is one of a client of the app.
    package mutating func hasWebOrigin(_ origin: String) -> BatchReading<Bool> {
        read(
            """
            select from clients where app_id = \(scope.appID) and \(origin) = any (web_origins) limit 1
            """
        ) { !$0.isEmpty }
    }

    /// One client; nil if the app has no such client.
    package mutating func client(_ id: ClientID) -> BatchReading<ClientRecord?> {
        read(clientsSelect(where: "and c.id = \(id)", limit: 1)) { try $0.first.map(ClientRecord.init) }
    }

    /// Locks a client until the end and reads it; nil if the app has no such client.
    package mutating func lockClient(_ id: ClientID) -> BatchReading<ClientRecord?> {
        add("select from clients where app_id = \(scope.appID) and id = \(id) for update")
        return client(id)
    }

    /// Counts the app's clients, while nobody else adds one.
    package mutating func lockClientCount() -> BatchReading<Int64> {
        add("select from apps where id = \(scope.appID) for update")
        return read("select count(*) as count from clients where app_id = \(scope.appID)") {
            try $0.first?.get("count") ?? 0
        }
    }

    /// Clients of the app, oldest first.
    package mutating func clients(
        after cursor: PageCursor? = nil, limit: Int = 1000
    ) -> BatchReading<[ClientRecord]> {
        let further: SQL = cursor.map { "and (c.created_at, c.id) > (\($0.at), \($0.id))" } ?? ""
        return read(clientsSelect(where: further, limit: limit)) { try $0.map(ClientRecord.init) }
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

    private func clientsSelect(where condition: SQL, limit: Int) -> SQL {
        """
        select c.id, c.name, c.type, c.party, c.sector, c.key_set, c.requires_pushed, c.web_origins,
               c.post_logout_uris, c.id_token_signed_response_alg, c.created_at,
               array(select u.uri from client_redirect_uris as u
                      where u.app_id = c.app_id and u.client_id = c.id order by u.uri) as redirect_uris
          from clients as c
         where c.app_id = \(scope.appID) \(condition)
         order by c.created_at, c.id
         limit \(limit)
        """
    }
}

extension ClientRecord {
    init(_ row: PostgresRow) throws {
        (id, name) = (try row.get("id"), try row.get("name"))
        // A type that this version does not know has to prove itself.
        type = ClientType(rawValue: try row.get("type")) ?? .confidential
        // Nor is one let in unasked whose party it does not know.
        party = ClientParty(rawValue: try row.get("party")) ?? .third
        (keySet, createdAt) = (try row.get("key_set"), try row.get("created_at"))
        sector = try row.get("sector")
        (webOrigins, postLogoutURIs) = (try row.get("web_origins"), try row.get("post_logout_uris"))
        // One that this version does not know is an error: nothing is signed with another one in its place.
        idTokenAlgorithm = try row.get("id_token_signed_response_alg")
        (requiresPushed, redirectURIs) = (try row.get("requires_pushed"), try row.get("redirect_uris"))
    }
}

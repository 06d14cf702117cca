package import GatepostModel
import Postgres

/// A client that a user has let use their account.
package struct ConsentRecord: Sendable {
    package let clientID: ClientID
    package let clientName: String
    /// What the client may be told.
    package let scope: GrantScope
    /// When the user first said yes, and when last.
    package let createdAt: Instant
    package let grantedAt: Instant

    init(_ row: PostgresRow) throws {
        (clientID, clientName) = (try row.get("client_id"), try row.get("name"))
        scope = GrantScope(try row.get("scopes", as: [String].self).joined(separator: " "))
        (createdAt, grantedAt) = (try row.get("created_at"), try row.get("granted_at"))
    }
}

extension AppBatch {
    /// That a request `r` may be answered for a user `u` without asking them: their app's own client asks, or they have
    /// said yes to as much before; where the client wants the question put, to this very request.
    func isConsented() -> SQL {
        """
        exists (select from clients as p
                 where p.app_id = r.app_id and p.id = r.client_id
                   and (p.party = 'first_party' and not r.asks_consent
                        or exists (select from consents as k
                                    where k.app_id = r.app_id and k.user_id = u.id and k.client_id = r.client_id
                                      and (k.request_id = r.id
                                           or not r.asks_consent
                                              and k.scopes @> string_to_array(r.scope, ' ')))))
        """
    }

    /// Writes down that a user lets a client have what it asks for; what they have let it have before stays.
    ///
    /// The request is locked: of racing answers, those that waited find it answered and write nothing. A proof that
    /// does not answer the request, for want of a second factor, lets nobody in either.
    ///
    /// - Parameters:
    ///   - request: What the client asks for, waiting for this in the session of the proof.
    ///   - holder: The browser's token.
    ///   - session: The browser's session.
    ///   - proof: Who it is, and what must still be so.
    ///   - now: The moment.
    package mutating func grantConsent(
        to request: AuthorizationRequestID, heldBy holder: OneTimeToken, in session: SessionID, for proof: SignInProof,
        at now: Instant
    ) {
        add(
            """
            insert into consents (app_id, user_id, client_id, scopes, request_id, created_at, granted_at)
            select r.app_id, u.id, r.client_id, string_to_array(r.scope, ' '), r.id, \(now), \(now)
              from authorization_requests as r
              join users as u on \(proof.stands(in: scope.appID, at: now))
             where r.app_id = \(scope.appID) and r.id = \(request) and r.browser_hash = \(holder.hash)
               and r.consenting_session_id = \(session) and r.answered_at is null and r.expires_at > \(now)
               and (\(proof.hasFactor) or not r.requires_factor) and \(proof.suffices(in: scope))
               for update of r
            on conflict (app_id, user_id, client_id) do update
               set scopes = array(select distinct name from unnest(consents.scopes || excluded.scopes) as name
                                   order by name),
                   request_id = excluded.request_id, granted_at = excluded.granted_at
            """)
    }

    /// Takes a consent back.
    ///
    /// - Returns: Whether there was one.
    package mutating func deleteConsent(to client: ClientID, of user: UserID) -> BatchReading<Bool> {
        read(
            """
            delete from consents where app_id = \(scope.appID) and user_id = \(user) and client_id = \(client)
            """
        ) { $0.affectedCount == 1 }
    }

    /// The clients that a user has let use their account, the latest first.
    package mutating func consents(
        of user: UserID, after cursor: PageCursor? = nil, limit: Int = ClientRecord.countMax
    ) -> BatchReading<[ConsentRecord]> {
        let further: SQL = cursor.map { "and (k.granted_at, k.client_id) < (\($0.at), \($0.id))" } ?? ""
        return read(
            """
            select k.client_id, c.name, k.scopes, k.created_at, k.granted_at
              from consents as k
              join clients as c on c.app_id = k.app_id and c.id = k.client_id
             where k.app_id = \(scope.appID) and k.user_id = \(user) \(further)
             order by k.granted_at desc, k.client_id desc
             limit \(limit)
            """
        ) { try $0.map(ConsentRecord.init) }
    }
}

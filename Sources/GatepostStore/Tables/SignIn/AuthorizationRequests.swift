package import GatepostModel
import Postgres

/// What a client asks for, as it is written down.
package struct NewAuthorizationRequest: Sendable {
    package let id: AuthorizationRequestID
    package let clientID: ClientID
    package let redirectURI: String
    package let challenge: CodeChallenge
    /// The browser's token, or the flow token of whoever asked by the JSON API: only its holder is answered.
    package let holder: OneTimeToken
    package let at: Instant
    /// Given back with the answer as it came (RFC 6749, section 4.1.1).
    package var state: String?
    /// What the client's token will repeat (OpenID Connect Core, section 3.1.2.1).
    package var nonce: String?
    /// What the client asks to be told of the person.
    package var scope = GrantScope.none
    /// The address that the person is likely to sign in with.
    package var loginHint: String?
    /// The language that the client asked for, one of those that there are.
    package var locale: String?
    /// The registered URI that the redirect URI is, but for the port of a loopback address; nil for the same.
    package var registeredURI: String?
    /// Whoever proved who they are before this must prove it again; nil where any proof that stands will do.
    package var authenticatedAfter: Instant?
    /// Whether the client wants the user to be asked, whatever they have said before (`prompt=consent`).
    package var asksConsent = false
    /// Whom the client expects; nil for anybody.
    package var expectedUserID: UserID?
    /// Whether the client asks for a second factor.
    package var requiresFactor = false

    /// Describes a request; what may be missing is set afterwards.
    package init(
        id: AuthorizationRequestID, clientID: ClientID, redirectURI: String, challenge: CodeChallenge,
        holder: OneTimeToken, at: Instant
    ) {
        (self.id, self.clientID, self.redirectURI) = (id, clientID, redirectURI)
        (self.challenge, self.holder, self.at) = (challenge, holder, at)
    }
}

/// A request that waits for its answer, as its holder sees it.
package struct AuthorizationRequestRecord: Sendable {
    package let id: AuthorizationRequestID
    package let clientID: ClientID
    package let redirectURI: String
    package let loginHint: String?
    package let locale: String?
    /// What the client asks to be told of the person.
    package let scope: GrantScope
    /// The browser's session in which it waits for the user's consent; nil while it waits for a sign-in.
    package let consentingSessionID: SessionID?
    package let expiresAt: Instant

    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        clientID = try row.get("client_id")
        redirectURI = try row.get("redirect_uri")
        loginHint = try row.get("login_hint")
        locale = try row.get("locale")
        scope = GrantScope(try row.get("scope", as: String.self))
        consentingSessionID = try row.get("consenting_session_id")
        expiresAt = try row.get("expires_at")
    }
}

/// Where the answer to a request goes.
package struct AnsweredRequest: Sendable {
    package let redirectURI: String
    package let state: String?

    /// States where a client is answered.
    package init(redirectURI: String, state: String?) {
        (self.redirectURI, self.state) = (redirectURI, state)
    }

    init(_ row: PostgresRow) throws {
        (redirectURI, state) = (try row.get("redirect_uri"), try row.get("state"))
    }
}

/// The columns of a request as its holder sees it.
private let columns: SQL = """
    id, client_id, redirect_uri, login_hint, locale, scope, consenting_session_id, expires_at
    """

extension AppBatch {
    /// Writes down what a client asks for.
    package mutating func insertAuthorizationRequest(_ new: NewAuthorizationRequest) {
        insert(new, where: "true")
    }

    /// Writes down what a client asks for if the proof stands by which it is answered at once.
    package mutating func insertAuthorizationRequest(_ new: NewAuthorizationRequest, ifStands proof: SignInProof) {
        insert(new, where: "exists (select from users as u where \(proof.stands(in: scope.appID, at: new.at)))")
    }

    private mutating func insert(_ new: NewAuthorizationRequest, where condition: SQL) {
        add(
            """
            insert into authorization_requests (app_id, id, client_id, redirect_uri, registered_uri, code_challenge,
                                                state, nonce, scope, browser_hash, login_hint, locale,
                                                authenticated_after, requires_factor, asks_consent, expected_user_id,
                                                created_at, expires_at)
            select \(scope.appID), \(new.id), \(new.clientID), \(new.redirectURI),
                   \(new.registeredURI ?? new.redirectURI), \(new.challenge.text), \(new.state), \(new.nonce),
                   \(new.scope.description), \(new.holder.hash), \(new.loginHint), \(new.locale),
                   \(new.authenticatedAfter)::timestamptz, \(new.requiresFactor), \(new.asksConsent)::boolean,
                   \(new.expectedUserID)::uuid, \(new.at)::timestamptz,
                   \(new.at + Lifetimes.authorizationRequest)::timestamptz
             where \(condition)
            """)
    }

    /// The request of this id that still waits; nil without its holder's token.
    package mutating func authorizationRequest(
        _ id: AuthorizationRequestID, heldBy holder: OneTimeToken, at now: Instant
    ) -> BatchReading<AuthorizationRequestRecord?> {
        read(
            """
            select \(columns)
              from authorization_requests
             where app_id = \(scope.appID) and id = \(id) and browser_hash = \(holder.hash)
               and answered_at is null and expires_at > \(now)
            """
        ) { try $0.first.map(AuthorizationRequestRecord.init) }
    }

    /// The request that this holder began last and that still waits; nil if none does.
    package mutating func latestAuthorizationRequest(
        heldBy holder: OneTimeToken, at now: Instant
    ) -> BatchReading<AuthorizationRequestRecord?> {
        read(
            """
            select \(columns)
              from authorization_requests
             where app_id = \(scope.appID) and browser_hash = \(holder.hash)
               and answered_at is null and expires_at > \(now)
             order by created_at desc, id desc
             limit 1
            """
        ) { try $0.first.map(AuthorizationRequestRecord.init) }
    }

    /// Marks a request as answered with this code; one of any number of racing callers does it.
    ///
    /// The proof is part of the guard: a user who was deactivated, or changed the password, since it was read is
    /// signed in nowhere. So is what the client asked for: a proof that is too old for it, or somebody else's, does not
    /// answer it, nor one whose user has not let the client in, nor one factor where two are asked for; and an address
    /// that is not registered gets no code.
    package mutating func answerAuthorizationRequest(
        _ id: AuthorizationRequestID, heldBy holderHash: [UInt8], with code: OneTimeToken, for proof: SignInProof,
        at now: Instant
    ) {
        add(
            """
            update authorization_requests as r set answered_at = \(now), code_hash = \(code.hash)
              from users as u
             where r.app_id = \(scope.appID) and r.id = \(id) and r.browser_hash = \(holderHash)
               and r.answered_at is null and r.expires_at > \(now)
               and (\(proof.hasFactor) or not r.requires_factor) and \(proof.suffices(in: scope))
               and (r.authenticated_after is null or r.authenticated_after <= \(proof.authenticatedAt))
               and (r.expected_user_id is null or r.expected_user_id = u.id)
               and \(isConsented())
               and exists (select from client_redirect_uris as c
                            where c.app_id = r.app_id and c.client_id = r.client_id
                              and c.uri = coalesce(r.registered_uri, r.redirect_uri))
               and \(proof.stands(in: scope.appID, at: now))
            """)
    }

    /// Ends a request unless it is answered.
    package mutating func withdrawAuthorizationRequest(_ id: AuthorizationRequestID, at now: Instant) {
        add(
            """
            update authorization_requests set expires_at = \(now), consenting_session_id = null
             where app_id = \(scope.appID) and id = \(id) and answered_at is null
            """)
    }

    /// Where this very code goes; nil if it did not become the answer.
    package mutating func answeredRequest(
        _ id: AuthorizationRequestID, with code: OneTimeToken
    ) -> BatchReading<AnsweredRequest?> {
        read(
            """
            select r.redirect_uri, r.state
              from authorization_requests as r
              join authorization_codes as a on a.app_id = r.app_id and a.code_hash = r.code_hash
             where r.app_id = \(scope.appID) and r.id = \(id) and r.code_hash = \(code.hash)
            """
        ) { try $0.first.map(AnsweredRequest.init) }
    }
}

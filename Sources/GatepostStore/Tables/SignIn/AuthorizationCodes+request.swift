package import GatepostModel
import Postgres

extension AppBatch {
    /// Issues the code that has just become the answer to a request; none if it did not.
    ///
    /// - Parameters:
    ///   - code: The code.
    ///   - request: What it answers.
    ///   - proof: Who it is, and what must still be so.
    ///   - hosted: The browser's session that the code, and what comes of it, hangs on; nil where there is none.
    ///   - now: The moment.
    package mutating func insertAuthorizationCode(
        _ code: OneTimeToken, answering request: AuthorizationRequestID, for proof: SignInProof,
        on hosted: SessionID?, at now: Instant
    ) {
        add(
            """
            insert into authorization_codes (app_id, code_hash, client_id, user_id, auth_epoch, redirect_uri,
                                             code_challenge, scope, nonce, hosted_session_id, amr,
                                             authenticated_at, created_at, expires_at)
            select r.app_id, r.code_hash, r.client_id, u.id, u.auth_epoch, r.redirect_uri, r.code_challenge, r.scope,
                   r.nonce, \(hosted)::uuid, \(proof.amr), \(proof.authenticatedAt), \(now),
                   \(now + Lifetimes.authorizationCode)
              from authorization_requests as r
              join users as u on \(proof.stands(in: scope.appID, at: now))
             where r.app_id = \(scope.appID) and r.id = \(request) and r.code_hash = \(code.hash)
            """)
    }
}

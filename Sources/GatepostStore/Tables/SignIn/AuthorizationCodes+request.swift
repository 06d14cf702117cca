package import GatepostModel
import Postgres

extension AppBatch {
    /// Issues the code that has just become the answer to a request; none if it did not.
    package mutating func insertAuthorizationCode(
        _ code: OneTimeToken, answering request: AuthorizationRequestID, for proof: SignInProof, at now: Instant
    ) {
        add(
            """
            insert into authorization_codes (app_id, code_hash, client_id, user_id, auth_epoch, redirect_uri,
                                             code_challenge, scope, nonce, amr, authenticated_at, created_at,
                                             expires_at)
            select r.app_id, r.code_hash, r.client_id, u.id, u.auth_epoch, r.redirect_uri, r.code_challenge, r.scope,
                   r.nonce, \(proof.amr), \(proof.authenticatedAt), \(now), \(now + Lifetimes.authorizationCode)
              from authorization_requests as r
              join users as u on \(proof.stands(in: scope.appID, at: now))
             where r.app_id = \(scope.appID) and r.id = \(request) and r.code_hash = \(code.hash)
            """)
    }
}

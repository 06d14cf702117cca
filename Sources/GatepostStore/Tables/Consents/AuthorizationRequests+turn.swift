package import GatepostModel
import Postgres

/// What a proof came to that stands and has not answered its request.
package struct RequestTurn: Sendable {
    /// Whether the client expects somebody else: the request has ended.
    package let isOther: Bool
    /// Where the client is told so.
    package let redirect: AnsweredRequest
}

extension AppBatch {
    /// Turns a request away from its answer: it waits for the user's consent in this session, or ends because the
    /// client expects somebody else.
    ///
    /// To be called after `answerAuthorizationRequest`, whose guard has the same conditions the other way round.
    ///
    /// - Returns: Which; nil for a request that was answered, or that this proof answers in no way.
    package mutating func turnAuthorizationRequest(
        _ id: AuthorizationRequestID, heldBy holderHash: [UInt8], for proof: SignInProof, in session: SessionID,
        at now: Instant
    ) -> BatchReading<RequestTurn?> {
        let isOther: SQL = "(r.expected_user_id is not null and r.expected_user_id <> u.id)"
        return read(
            """
            update authorization_requests as r
               set expires_at = case when \(isOther) then \(now)::timestamptz else r.expires_at end,
                   consenting_session_id = case when \(isOther) then null else \(session)::uuid end
              from users as u
             where r.app_id = \(scope.appID) and r.id = \(id) and r.browser_hash = \(holderHash)
               and r.answered_at is null and r.expires_at > \(now)
               and (\(proof.hasFactor) or not r.requires_factor) and \(proof.suffices(in: scope))
               and (r.authenticated_after is null or r.authenticated_after <= \(proof.authenticatedAt))
               and (\(isOther) or not \(isConsented()))
               and \(proof.stands(in: scope.appID, at: now))
            returning r.redirect_uri, r.state, \(isOther) as is_other
            """
        ) { rows in
            try rows.first.map { row in
                RequestTurn(isOther: try row.get("is_other"), redirect: try AnsweredRequest(row))
            }
        }
    }

    /// Ends a request that waits for consent because the person says no.
    ///
    /// - Returns: Where the client is told so; nil where none waits in this session.
    package mutating func declineAuthorizationRequest(
        _ id: AuthorizationRequestID, heldBy holder: OneTimeToken, in session: SessionID, at now: Instant
    ) -> BatchReading<AnsweredRequest?> {
        read(
            """
            update authorization_requests as r set expires_at = \(now)
             where r.app_id = \(scope.appID) and r.id = \(id) and r.browser_hash = \(holder.hash)
               and r.consenting_session_id = \(session) and r.answered_at is null and r.expires_at > \(now)
            returning r.redirect_uri, r.state
            """
        ) { try $0.first.map(AnsweredRequest.init) }
    }
}

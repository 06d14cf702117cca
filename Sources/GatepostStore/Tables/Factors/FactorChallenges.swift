package import GatepostModel
import Postgres

/// A sign-in that waits for its second factor, as it is written down.
package struct NewFactorChallenge: Sendable {
    /// What the sign-in is for.
    package enum Goal: Sendable {
        /// A client's request, which only whoever holds a token of this hash may have answered.
        case request(AuthorizationRequestID, holderHash: [UInt8])
        /// The pages of the account itself, in the browser whose token has this hash.
        case account(browserHash: [UInt8]?)
    }

    package let id: FactorChallengeID
    /// Held by whoever proved the first factor.
    package let token: OneTimeToken
    /// What is answered once both are proved.
    package let goal: Goal
    /// Whether a session of the hosted pages begins, and in place of which one.
    package let isHosted: Bool
    package let replaces: SessionID?
    package let at: Instant

    /// Describes a challenge.
    package init(
        id: FactorChallengeID, token: OneTimeToken, goal: Goal, isHosted: Bool, replaces: SessionID?, at: Instant
    ) {
        (self.id, self.token, self.goal, self.at) = (id, token, goal, at)
        (self.isHosted, self.replaces) = (isHosted, replaces)
    }

    /// Until when the second factor can be proved.
    package var expiresAt: Instant { at + Lifetimes.factorChallenge }
}

/// A sign-in that waits for its second factor, as its holder sees it.
package struct FactorChallengeRecord: Sendable {
    package let id: FactorChallengeID
    package let userID: UserID
    package let email: String
    package let goal: NewFactorChallenge.Goal
    package let isHosted: Bool
    package let replaces: SessionID?
    /// What was proved, and when.
    package let proof: SignInProof
    /// When an authenticator was set up here, whose first code counts for this sign-in; nil for none.
    package let enrolledAt: Instant?
    /// Whether the user has an authenticator.
    package let hasFactor: Bool
    /// Where the answer goes; nil for the account's own pages.
    package let redirectURI: String?

    init(_ row: PostgresRow) throws {
        (id, userID, email) = (try row.get("id"), try row.get("user_id"), try row.get("email_entered"))
        let holder = try row.get("holder_hash", as: [UInt8]?.self)
        if let request = try row.get("request_id", as: AuthorizationRequestID?.self), let holder {
            goal = .request(request, holderHash: holder)
        } else {
            goal = .account(browserHash: holder)
        }
        (isHosted, replaces) = (try row.get("is_hosted"), try row.get("replaces_session_id"))
        let session = try row.get("session_id", as: SessionID?.self)
        proof = SignInProof(
            userID: userID, authEpoch: try row.get("auth_epoch"), amr: try row.get("amr"),
            authenticatedAt: try row.get("authenticated_at"), condition: session.map { .session($0) } ?? .none)
        enrolledAt = try row.get("enrolled_at")
        (hasFactor, redirectURI) = (try row.get("has_factor"), try row.get("redirect_uri"))
    }
}

extension AppBatch {
    /// Lets a sign-in wait for its second factor, if its proof stands and one is asked for that it lacks.
    ///
    /// - Returns: Whether the user has an authenticator; nil where nothing waits.
    package mutating func insertFactorChallenge(
        _ new: NewFactorChallenge, for proof: SignInProof
    ) -> BatchReading<Bool?> {
        guard !proof.hasFactor else { return nothing() }
        let now = new.at
        let (request, holder): (AuthorizationRequestID?, [UInt8]?) =
            switch new.goal {
            case .request(let request, let holder): (request, holder)
            case .account(let browser): (nil, browser)
            }
        var session: SessionID?
        if case .session(let id) = proof.condition { session = id }
        let waiting: SQL = """
            exists (select from authorization_requests as r
                     where r.app_id = u.app_id and r.id = \(request) and r.browser_hash = \(holder)
                       and r.answered_at is null and r.expires_at > \(now)
                       and (r.authenticated_after is null or r.authenticated_after <= \(proof.authenticatedAt))
                       and (r.requires_factor or \(scope.asksForFactor)))
            """
        return read(
            """
            insert into factor_challenges (app_id, id, token_hash, user_id, auth_epoch, request_id, holder_hash,
                                           is_hosted, replaces_session_id, session_id, amr, authenticated_at,
                                           attempt_count, created_at, expires_at)
            select u.app_id, \(new.id), \(new.token.hash), u.id, u.auth_epoch, \(request)::uuid, \(holder)::bytea,
                   \(new.isHosted), \(new.replaces)::uuid, \(session)::uuid, \(proof.amr), \(proof.authenticatedAt), 0,
                   \(now)::timestamptz, \(new.expiresAt)::timestamptz
              from users as u
             where \(proof.stands(in: scope.appID, at: now))
               and \(request == nil ? scope.asksForFactor : waiting)
            returning exists (select from user_factors as f
                               where f.app_id = factor_challenges.app_id and f.user_id = factor_challenges.user_id
                                 and f.confirmed_at is not null) as has_factor
            """
        ) { try $0.first?.get("has_factor") }
    }

    /// A challenge that still waits, of a user who is still the same; nil without its holder's token.
    package mutating func factorChallenge(
        _ id: FactorChallengeID, heldBy token: OneTimeToken, at now: Instant
    ) -> BatchReading<FactorChallengeRecord?> {
        read(
            """
            select c.id, c.user_id, c.auth_epoch, c.request_id, c.holder_hash, c.is_hosted, c.replaces_session_id,
                   c.session_id, c.amr, c.authenticated_at, c.enrolled_at, u.email_entered,
                   (select r.redirect_uri from authorization_requests as r
                     where r.app_id = c.app_id and r.id = c.request_id) as redirect_uri,
                   exists (select from user_factors as f
                            where f.app_id = c.app_id and f.user_id = c.user_id
                              and f.confirmed_at is not null) as has_factor
              from factor_challenges as c
              join users as u on u.app_id = c.app_id and u.id = c.user_id
             where c.id = \(id) and \(Self.waits(token, in: scope.appID, at: now))
            """
        ) { try $0.first.map(FactorChallengeRecord.init) }
    }

    /// Counts a try at a challenge's code before it is compared.
    ///
    /// - Returns: Whether there was one left.
    package mutating func countFactorAttempt(
        _ id: FactorChallengeID, heldBy token: OneTimeToken, at now: Instant
    ) -> BatchReading<Bool> {
        read(
            """
            update factor_challenges as c set attempt_count = c.attempt_count + 1
              from users as u
             where c.id = \(id) and u.app_id = c.app_id and u.id = c.user_id
               and c.attempt_count < \(FlowSecrets.codeAttemptsMax) and \(Self.waits(token, in: scope.appID, at: now))
            """
        ) { $0.affectedCount == 1 }
    }

    /// Marks that an authenticator was set up in this challenge.
    ///
    /// That has raised the user's epoch, which is taken over, and
    /// ended the session that may have answered for the first factor, which is not asked again.
    package mutating func markEnrolled(_ id: FactorChallengeID, heldBy token: OneTimeToken, at now: Instant) {
        add(
            """
            update factor_challenges as c set enrolled_at = \(now), auth_epoch = u.auth_epoch, session_id = null
              from users as u
             where c.app_id = \(scope.appID) and c.id = \(id) and c.token_hash = \(token.hash)
               and u.app_id = c.app_id and u.id = c.user_id
            """)
    }

    /// Uses a challenge up; of any number of racing callers one does it.
    package mutating func passFactorChallenge(
        _ id: FactorChallengeID, heldBy token: OneTimeToken, at now: Instant
    ) -> BatchReading<Bool> {
        read(
            """
            update factor_challenges as c set passed_at = \(now)
              from users as u
             where c.id = \(id) and u.app_id = c.app_id and u.id = c.user_id
               and \(Self.waits(token, in: scope.appID, at: now))
            """
        ) { $0.affectedCount == 1 }
    }

    /// That a challenge `c` of a user `u` is held by this token and may still be passed.
    private static func waits(_ token: OneTimeToken, in app: AppID, at now: Instant) -> SQL {
        """
        c.app_id = \(app) and c.token_hash = \(token.hash) and c.passed_at is null and c.expires_at > \(now)
        and u.state = 'active' and u.auth_epoch = c.auth_epoch
        """
    }
}

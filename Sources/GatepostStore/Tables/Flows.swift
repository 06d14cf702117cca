package import GatepostModel
import Postgres

/// What a link or a code leads to, as far as its holder may know.
package struct FlowRecord: Sendable {
    package let id: FlowID
    /// Nil for a kind that this version does not know.
    package let kind: FlowKind?
    package let email: String
    /// Nil for a flow of an address that already had an account: it can never pass.
    package let userID: UserID?
    package let secretEpoch: Int16
    package let isPending: Bool
    package let reason: String?
    package let tokenHash: [UInt8]
    package let codeHash: [UInt8]
    package let codeAttemptCount: Int32
    package let passwordHash: String?
    /// The request that a sign-in's answer goes to; nil for any other kind.
    package let requestID: AuthorizationRequestID?
    /// The session that asked for a change of address; nil for any other kind.
    package let sessionID: SessionID?
    /// The new address as typed, or the old one for an undoing; nil for any other kind.
    package let emailEntered: String?
    package let expiresAt: Instant

    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        kind = FlowKind(rawValue: try row.get("kind"))
        email = try row.get("email")
        userID = try row.get("user_id")
        secretEpoch = try row.get("secret_epoch")
        isPending = try row.get("state", as: String.self) == "pending"
        reason = try row.get("reason")
        tokenHash = try row.get("token_hash")
        codeHash = try row.get("code_hash")
        codeAttemptCount = try row.get("code_attempt_count")
        passwordHash = try row.get("password_hash")
        requestID = try row.get("request_id")
        sessionID = try row.get("session_id")
        emailEntered = try row.get("email_entered")
        expiresAt = try row.get("expires_at")
    }
}

/// What a new sign-up flow consists of.
package struct NewSignUpFlow: Sendable {
    package let id: FlowID
    package let email: EmailAddress
    package let secrets: FlowSecrets
    package let token: OneTimeToken
    package let passwordHash: String
    /// The language of whoever signs up, as far as the request told.
    package let locale: String?
    package let createdAt: Instant
    package let expiresAt: Instant

    /// Puts a flow together; its secrets are derived, the token is new.
    package init(
        id: FlowID, email: EmailAddress, secrets: FlowSecrets, token: OneTimeToken, passwordHash: String,
        locale: String? = nil, createdAt: Instant, expiresAt: Instant
    ) {
        (self.id, self.email, self.secrets, self.token, self.locale) = (id, email, secrets, token, locale)
        (self.passwordHash, self.createdAt, self.expiresAt) = (passwordHash, createdAt, expiresAt)
    }
}

private let columns: SQL = """
    f.id, f.kind, f.email, f.user_id, f.secret_epoch, f.state, f.reason, f.token_hash, f.code_hash,
    f.code_attempt_count, f.password_hash, f.request_id, f.session_id, f.email_entered, f.expires_at
    """

/// The user still is who the flow was begun for and, for a sign-up, still waits to be verified.
///
/// A change of address goes to another one than the user's. Its undoing stands whatever else was changed since: it
/// is what is left to somebody whose account was taken over.
private let userStands: SQL = """
    u.app_id = f.app_id and u.id = f.user_id and u.state = 'active'
    and (u.email = f.email or f.kind in ('email_change', 'email_change_undo'))
    and (u.auth_epoch = f.auth_epoch or f.kind = 'email_change_undo')
    and (f.kind <> 'sign_up' or u.email_verified_at is null)
    """

extension AppBatch {
    /// Refuses the pending flows of an address that are of a kind: a new one takes their place.
    package mutating func supersedeFlows(_ kind: FlowKind, of email: EmailAddress, at now: Instant) {
        add(
            """
            update flows set state = 'refused', reason = 'superseded', ended_at = \(now)
             where app_id = \(scope.appID) and email = \(email.canonical) and kind = \(kind.rawValue)
               and state = 'pending'
            """)
    }

    /// Refuses all flows of a user that still wait.
    package mutating func refuseFlows(of user: UserID, reason: String, at now: Instant) {
        add(
            """
            update flows set state = 'refused', reason = \(reason), ended_at = \(now)
             where app_id = \(scope.appID) and user_id = \(user) and state = 'pending'
            """)
    }

    /// Begins a sign-up; the flow has a user only if the address still waits to be verified.
    package mutating func insertSignUpFlow(_ flow: NewSignUpFlow) {
        add(
            """
            insert into flows (app_id, id, kind, state, user_id, email, auth_epoch, secret_epoch, token_hash,
                               link_hash, code_hash, password_hash, locale, created_at, expires_at)
            select \(scope.appID), \(flow.id), 'sign_up', 'pending', u.id, \(flow.email.canonical),
                   coalesce(u.auth_epoch, 0), \(flow.secrets.epoch), \(flow.token.hash),
                   \(flow.secrets.linkToken.hash), \(flow.secrets.codeHash(flow.secrets.code.revealed)),
                   \(flow.passwordHash), \(flow.locale), \(flow.createdAt), \(flow.expiresAt)
              from (select) as always
              left join users as u on u.app_id = \(scope.appID) and u.email = \(flow.email.canonical)
               and u.state = 'active' and u.email_verified_at is null
            """)
    }

    /// The flow behind a link that may still pass; reading it uses nothing up.
    ///
    /// - Parameters:
    ///   - link: The token in the link.
    ///   - epochs: The epochs of the key ring: a link that was derived under a retired one is dead at once.
    ///   - now: The moment.
    /// - Returns: The flow; nil where the link is not one, or may no longer be used.
    package mutating func standingFlow(
        link: OneTimeToken, epochs: [Int16], at now: Instant
    ) -> BatchReading<FlowRecord?> {
        read(
            """
            select \(columns) from flows as f join users as u on \(userStands)
             where f.app_id = \(scope.appID) and f.link_hash = \(link.hash)
               and f.state = 'pending' and f.expires_at > \(now) and f.secret_epoch = any (\(epochs))
            """
        ) { try $0.first.map(FlowRecord.init) }
    }

    /// The flow that its starter names, whatever became of it; nil without the starter's token.
    package mutating func flow(_ id: FlowID, heldBy token: OneTimeToken) -> BatchReading<FlowRecord?> {
        read(
            """
            select \(columns) from flows as f
             where f.app_id = \(scope.appID) and f.id = \(id) and f.token_hash = \(token.hash)
            """
        ) { try $0.first.map(FlowRecord.init) }
    }

    /// Compares a typed code, and counts it if it is wrong; a try past the last, whatever it is, refuses the flow.
    ///
    /// One statement compares and counts, so of any number of racing wrong codes five are looked at, and racing right
    /// ones use no try up: which of them passes is settled by `consumeFlow`. A code is right if the flow could pass by
    /// it, so one that an address without an account never got is counted like any other.
    ///
    /// To be run in a batch that commits on its own: a refused attempt must stay counted.
    ///
    /// - Parameters:
    ///   - hash: The keyed hash of what was typed.
    ///   - id: The flow.
    ///   - token: Who began it.
    ///   - kind: What it must be for.
    ///   - now: The moment.
    /// - Returns: What the try came to; nil where the flow no longer waits.
    package mutating func tryCode(
        _ hash: [UInt8], of id: FlowID, heldBy token: OneTimeToken, _ kind: FlowKind, at now: Instant
    ) -> BatchReading<CodeTry?> {
        let isLeft: SQL = "f.code_attempt_count < \(FlowSecrets.codeAttemptsMax)"
        let isRight: SQL = "f.code_hash = \(hash) and exists (select from users as u where \(userStands))"
        return read(
            """
            update flows as f
               set code_attempt_count = f.code_attempt_count + case when \(isRight) then 0 else 1 end,
                   state    = case when \(isLeft) then f.state else 'refused' end,
                   reason   = case when \(isLeft) then null else 'code_attempts_exhausted' end,
                   ended_at = case when \(isLeft) then null else \(now)::timestamptz end
             where f.app_id = \(scope.appID) and f.id = \(id) and f.token_hash = \(token.hash)
               and f.kind = \(kind.rawValue) and f.state = 'pending' and f.expires_at > \(now)
            returning case when f.state = 'refused' then 'exhausted' when \(isRight) then 'right' else 'wrong' end
                      as outcome
            """
        ) { try $0.first.flatMap { CodeTry(rawValue: try $0.get("outcome")) } }
    }
}

/// What a try at a typed code came to.
package enum CodeTry: String, Sendable {
    /// Nothing is counted; the flow still waits to be passed.
    case right
    case wrong
    /// It was the one too many, which refused the flow.
    case exhausted
}

/// How a flow is proved to be passed.
package enum FlowProof: Sendable {
    /// The link, in the browser that began the flow.
    case link(OneTimeToken, startedBy: OneTimeToken)
    /// The link, anywhere: whoever reads the mailbox.
    case linkAlone(OneTimeToken)
    /// The typed code, by whoever began the flow.
    case code(hash: [UInt8], FlowID, startedBy: OneTimeToken)

    fileprivate var condition: SQL {
        switch self {
        case .link(let link, let token): "f.link_hash = \(link.hash) and f.token_hash = \(token.hash)"
        case .linkAlone(let link): "f.link_hash = \(link.hash)"
        case .code(let hash, let id, let token):
            "f.id = \(id) and f.token_hash = \(token.hash) and f.code_hash = \(hash)"
        }
    }
}

extension AppTransaction {
    /// Passes a pending flow of a kind; nil if the proof is wrong or another caller was first.
    ///
    /// One guarded update reads and uses up: of any number of racing callers one gets the row. The user is locked
    /// before the flow, in the order of a sign-up that supersedes it: two orders could lock each other out.
    ///
    /// - Parameters:
    ///   - kind: What the flow must be for.
    ///   - proof: What was presented.
    ///   - epochs: The epochs of the key ring, as for `standingFlow`.
    ///   - now: The moment.
    /// - Returns: The flow as it is now: passed.
    /// - Throws: `PostgresError`.
    package func consumeFlow(
        _ kind: FlowKind, _ proof: FlowProof, epochs: [Int16], at now: Instant
    ) async throws -> FlowRecord? {
        let stands: SQL = """
            \(userStands) and f.app_id = \(scope.appID) and f.kind = \(kind.rawValue) and \(proof.condition)
            and f.state = 'pending' and f.expires_at > \(now) and f.secret_epoch = any (\(epochs))
            """
        return try await query(
            """
            with u as materialized (
                   select u.app_id, u.id, u.state, u.email, u.auth_epoch, u.email_verified_at
                     from users as u
                     join flows as f on \(stands)
                      for no key update of u)
            update flows as f set state = 'passed', ended_at = \(now)
              from u
             where \(stands)
            returning \(columns)
            """
        ).first.map(FlowRecord.init)
    }
}

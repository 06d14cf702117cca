package import GatepostModel
import Postgres

/// What a new flow consists of whose mail goes to an address that a person typed, or to one that a user had.
package struct NewMailFlow: Sendable {
    package let id: FlowID
    package let kind: FlowKind
    package let email: EmailAddress
    package let secrets: FlowSecrets
    /// Held by whoever began it; nobody holds that of an undoing, which is passed wherever its mail is read.
    package let token: OneTimeToken
    /// The language of whoever began it, as far as the request told.
    package let locale: String?
    package let createdAt: Instant
    package let expiresAt: Instant

    /// Puts a flow together; its secrets are derived for it.
    package init(
        id: FlowID, kind: FlowKind, email: EmailAddress, token: OneTimeToken, locale: String?, in scope: AppScope,
        keys: KeyRing, createdAt: Instant, life: Duration
    ) {
        (self.id, self.kind, self.email, self.token, self.locale) = (id, kind, email, token, locale)
        secrets = FlowSecrets(app: scope.appID, flow: id, kind: kind, keys: keys)
        (self.createdAt, expiresAt) = (createdAt, createdAt + life)
    }
}

extension AppBatch {
    /// Begins a sign-in by mail, for the request that its answer will go to, if there is one.
    ///
    /// Without a user it can never pass.
    package mutating func insertFlow(_ flow: NewMailFlow, for request: AuthorizationRequestID?) {
        insertFlow(flow, request: request)
    }

    /// Begins a flow for an address, known or not; without a user it can never pass.
    package mutating func insertFlow(_ flow: NewMailFlow) {
        insertFlow(flow, request: nil)
    }

    /// In the built-in app whoever is not verified is an admin to be, whom an invitation waits for, and nothing else.
    private mutating func insertFlow(_ flow: NewMailFlow, request: AuthorizationRequestID?) {
        add(
            """
            insert into flows (app_id, id, kind, state, user_id, email, auth_epoch, secret_epoch, token_hash,
                               link_hash, code_hash, request_id, locale, created_at, expires_at)
            select \(scope.appID), \(flow.id), \(flow.kind.rawValue), 'pending', u.id, \(flow.email.canonical),
                   coalesce(u.auth_epoch, 0), \(flow.secrets.epoch), \(flow.token.hash),
                   \(flow.secrets.linkToken.hash), \(flow.secrets.codeHash(flow.secrets.code.revealed)), \(request),
                   \(flow.locale), \(flow.createdAt), \(flow.expiresAt)
              from (select) as always
              left join users as u on u.app_id = \(scope.appID) and u.email = \(flow.email.canonical)
               and u.state = 'active' and (u.email_verified_at is not null or u.app_id <> \(AppID.gatepost))
            """)
    }

    /// Begins a change of a user's address, or its undoing; the flow's address is the one that the user gets.
    ///
    /// - Parameters:
    ///   - flow: The flow.
    ///   - user: Whose address changes.
    ///   - session: The session that asked; nil for an undoing.
    package mutating func insertFlow(_ flow: NewMailFlow, of user: UserID, askedBy session: SessionID?) {
        add(
            """
            insert into flows (app_id, id, kind, state, user_id, email, email_entered, auth_epoch, secret_epoch,
                               token_hash, link_hash, code_hash, session_id, locale, created_at, expires_at)
            select u.app_id, \(flow.id), \(flow.kind.rawValue)::text, 'pending', u.id, \(flow.email.canonical),
                   \(flow.email.ascii), u.auth_epoch, \(flow.secrets.epoch), \(flow.token.hash),
                   \(flow.secrets.linkToken.hash), \(flow.secrets.codeHash(flow.secrets.code.revealed)), \(session),
                   \(flow.locale), \(flow.createdAt), \(flow.expiresAt)
              from users as u
             where u.app_id = \(scope.appID) and u.id = \(user) and u.state = 'active'
            """)
    }

    /// Refuses the pending flows of a user that are of a kind: a new one takes their place.
    package mutating func supersedeFlows(_ kind: FlowKind, of user: UserID, at now: Instant) {
        add(
            """
            update flows set state = 'refused', reason = 'superseded', ended_at = \(now)
             where app_id = \(scope.appID) and user_id = \(user) and kind = \(kind.rawValue) and state = 'pending'
            """)
    }

    /// Refuses all flows of a user that still wait, but those that undo a change of address.
    ///
    /// An undoing outlives every other change: whoever took an account over must not get rid of it by changing the
    /// password too.
    package mutating func refuseFlows(ofUser user: UserID, butUndoing reason: String, at now: Instant) {
        add(
            """
            update flows set state = 'refused', reason = \(reason), ended_at = \(now)
             where app_id = \(scope.appID) and user_id = \(user) and state = 'pending'
               and kind <> \(FlowKind.emailChangeUndo.rawValue)
            """)
    }

    /// Refuses the undoings of a user's changes of address that were begun after one of them.
    package mutating func refuseUndoings(of user: UserID, since flow: FlowID, reason: String, at now: Instant) {
        add(
            """
            update flows as f set state = 'refused', reason = \(reason), ended_at = \(now)
              from flows as first
             where first.app_id = \(scope.appID) and first.id = \(flow)
               and f.app_id = first.app_id and f.user_id = \(user) and f.state = 'pending'
               and f.kind = \(FlowKind.emailChangeUndo.rawValue)
               and (f.created_at, f.id) > (first.created_at, first.id)
            """)
    }
}

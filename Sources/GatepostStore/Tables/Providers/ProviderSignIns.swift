package import GatepostModel
import Postgres

/// What a way to a provider is for.
package enum ProviderPurpose: Sendable {
    /// A client that waits.
    case request(AuthorizationRequestID)
    /// The account's own pages.
    case account
    /// An identity more for a user who is signed in.
    case link(IdentityLink)
}

/// Whose identity is to be linked, and from where that was asked.
package struct IdentityLink: Sendable, Equatable {
    package let user: UserID
    package let session: SessionID
    /// The user's epoch as it was then: what carries an older one is dead.
    package let authEpoch: Int32

    /// Describes who asks.
    package init(user: UserID, session: SessionID, authEpoch: Int32) {
        (self.user, self.session, self.authEpoch) = (user, session, authEpoch)
    }
}

/// Where a browser is sent back to that an app with screens of its own has sent.
package struct ProviderReturn: Sendable {
    package let redirectURI: String
    /// Given back as it came.
    package let state: String?

    /// Describes where to.
    package init(redirectURI: String, state: String?) {
        (self.redirectURI, self.state) = (redirectURI, state)
    }
}

/// One way of a browser to a provider, as it begins.
package struct NewProviderSignIn: Sendable {
    package let id: ProviderSignInID
    package let provider: IdentityProviderID
    package let purpose: ProviderPurpose
    package let state: OneTimeToken
    /// The browser's token, or the state itself where an app asked: the answer is taken from no other.
    package let holder: OneTimeToken
    package let secretEpoch: Int16
    package let at: Instant
    /// Nil where the browser stays on the pages.
    package var back: ProviderReturn?

    /// Puts a way together.
    package init(
        id: ProviderSignInID, provider: IdentityProviderID, purpose: ProviderPurpose, state: OneTimeToken,
        holder: OneTimeToken, secretEpoch: Int16, at: Instant
    ) {
        (self.id, self.provider, self.purpose) = (id, provider, purpose)
        (self.state, self.holder, self.secretEpoch, self.at) = (state, holder, secretEpoch, at)
    }
}

/// A way whose answer has come, and was taken.
package struct ConsumedProviderSignIn: Sendable {
    package let id: ProviderSignInID
    package let purpose: ProviderPurpose
    package let secretEpoch: Int16
    /// Nil where the browser stays on the pages.
    package let back: ProviderReturn?

    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        secretEpoch = try row.get("secret_epoch")
        let (state, uri) = (
            try row.get("client_state", as: String?.self), try row.get("redirect_uri", as: String?.self)
        )
        back = uri.map { ProviderReturn(redirectURI: $0, state: state) }
        let request = try row.get("request_id", as: AuthorizationRequestID?.self)
        let user = try row.get("user_id", as: UserID?.self)
        if let request {
            purpose = .request(request)
        } else if let user {
            purpose = .link(
                IdentityLink(user: user, session: try row.get("session_id"), authEpoch: try row.get("auth_epoch")))
        } else {
            purpose = .account
        }
    }
}

/// What a provider proved of somebody who has no identity here yet.
package struct ProvenIdentity: Sendable {
    /// The row that the identity will have.
    package let id: UserIdentityID
    package let subject: String
    /// Nil only where it is linked by a user who is signed in.
    package let email: EmailAddress?
    package let emailIsVerified: Bool
    /// Sealed for that row; nil where the provider's tokens are not kept.
    package let tokensSealed: [UInt8]?

    /// Gathers what was proved.
    package init(
        id: UserIdentityID, subject: String, email: EmailAddress?, emailIsVerified: Bool, tokensSealed: [UInt8]?
    ) {
        (self.id, self.subject, self.email) = (id, subject, email)
        (self.emailIsVerified, self.tokensSealed) = (emailIsVerified, tokensSealed)
    }
}

extension AppBatch {
    /// Begins a way to a provider that is enabled, as long as what it is for stands.
    ///
    /// - Returns: Whether it began.
    package mutating func insertProviderSignIn(_ new: NewProviderSignIn) -> BatchReading<Bool> {
        var (request, link): (AuthorizationRequestID?, IdentityLink?)
        if case .request(let id) = new.purpose { request = id }
        if case .link(let asked) = new.purpose { link = asked }
        return read(
            """
            insert into provider_sign_ins (app_id, id, provider_id, request_id, user_id, session_id, auth_epoch,
                                           redirect_uri, client_state, state_hash, browser_hash, secret_epoch,
                                           created_at, expires_at)
            select p.app_id, \(new.id), p.id, \(request), \(link?.user), \(link?.session), \(link?.authEpoch),
                   \(new.back?.redirectURI), \(new.back?.state), \(new.state.hash), \(new.holder.hash),
                   \(new.secretEpoch), \(new.at), \(new.at + Lifetimes.providerSignIn)
              from identity_providers as p
             where p.app_id = \(scope.appID) and p.id = \(new.provider) and p.state = 'enabled'
               \(stands(new.purpose, heldBy: new.holder, at: new.at))
            """
        ) { $0.affectedCount == 1 }
    }

    /// That what a way is for is still there, and the holder's.
    private func stands(_ purpose: ProviderPurpose, heldBy holder: OneTimeToken, at now: Instant) -> SQL {
        switch purpose {
        case .account: ""
        case .request(let id):
            """
            and exists (select from authorization_requests as r
                         where r.app_id = p.app_id and r.id = \(id) and r.browser_hash = \(holder.hash)
                           and r.answered_at is null and r.expires_at > \(now))
            """
        case .link(let link):
            """
            and exists (select from sessions as s
                          join users as u on u.app_id = s.app_id and u.id = s.user_id
                         where s.app_id = p.app_id and s.id = \(link.session) and u.id = \(link.user)
                           and u.auth_epoch = \(link.authEpoch) and \(sessionStands(at: now)))
            """
        }
    }

    /// Takes the answer to a way, once: of any number of racing callbacks one gets the row.
    ///
    /// State, holder and provider must be those that it began with: a state that is brought to another provider's
    /// redirect URI, or by another browser, uses nothing up. A way that an app began is held by its state.
    package mutating func consumeProviderSignIn(
        state: OneTimeToken, heldBy holder: OneTimeToken?, at provider: ProviderName, at now: Instant
    ) -> BatchReading<ConsumedProviderSignIn?> {
        read(
            """
            update provider_sign_ins as s set consumed_at = \(now)
              from identity_providers as p
             where s.app_id = \(scope.appID) and s.state_hash = \(state.hash)
               and (s.browser_hash = s.state_hash or s.browser_hash = \(holder?.hash))
               and s.consumed_at is null and s.expires_at > \(now)
               and p.app_id = s.app_id and p.id = s.provider_id and p.name = \(provider.text)
            returning s.id, s.request_id, s.user_id, s.session_id, s.auth_epoch, s.redirect_uri, s.client_state,
                      s.secret_epoch
            """
        ) { try $0.first.map(ConsumedProviderSignIn.init) }
    }

    /// Keeps what a provider proved, until the account is proved too.
    ///
    /// - Parameters:
    ///   - id: The way.
    ///   - proven: What was proved.
    ///   - code: What the app that asked will redeem; nil where the browser stays on the pages.
    ///   - linkedAt: When it is linked, in the same batch; nil where that is still to come.
    ///   - now: The moment.
    package mutating func proveProviderSignIn(
        _ id: ProviderSignInID, _ proven: ProvenIdentity, code: OneTimeToken? = nil, linkedAt: Instant? = nil,
        at now: Instant
    ) {
        add(
            """
            update provider_sign_ins
               set proven_at = \(now), identity_id = \(proven.id), subject = \(proven.subject),
                   email = \(proven.email?.canonical), email_is_verified = \(proven.emailIsVerified),
                   tokens_sealed = \(proven.tokensSealed), code_hash = \(code?.hash), linked_at = \(linkedAt)
             where app_id = \(scope.appID) and id = \(id) and consumed_at is not null and proven_at is null
            """)
    }
}

package import GatepostModel
import Postgres

/// One way of a browser to a provider, as it begins.
package struct NewProviderSignIn: Sendable {
    package let id: ProviderSignInID
    package let provider: IdentityProviderID
    package let request: AuthorizationRequestID
    package let state: OneTimeToken
    /// The browser's token: the answer is taken from no other.
    package let holder: OneTimeToken
    package let secretEpoch: Int16
    package let at: Instant

    /// Puts a way together.
    package init(
        id: ProviderSignInID, provider: IdentityProviderID, request: AuthorizationRequestID, state: OneTimeToken,
        holder: OneTimeToken, secretEpoch: Int16, at: Instant
    ) {
        (self.id, self.provider, self.request) = (id, provider, request)
        (self.state, self.holder, self.secretEpoch, self.at) = (state, holder, secretEpoch, at)
    }
}

/// A way whose answer has come, and was taken.
package struct ConsumedProviderSignIn: Sendable {
    package let id: ProviderSignInID
    package let request: AuthorizationRequestID
    package let secretEpoch: Int16
}

/// What a provider proved of somebody who has no identity here yet.
package struct ProvenIdentity: Sendable {
    /// The row that the identity will have.
    package let id: UserIdentityID
    package let subject: String
    package let email: EmailAddress
    package let emailIsVerified: Bool
    /// Sealed for that row; nil where the provider's tokens are not kept.
    package let tokensSealed: [UInt8]?

    /// Gathers what was proved.
    package init(
        id: UserIdentityID, subject: String, email: EmailAddress, emailIsVerified: Bool, tokensSealed: [UInt8]?
    ) {
        (self.id, self.subject, self.email) = (id, subject, email)
        (self.emailIsVerified, self.tokensSealed) = (emailIsVerified, tokensSealed)
    }
}

extension AppBatch {
    /// Begins a way to a provider that is enabled, for a request that waits in this browser.
    ///
    /// - Returns: Whether it began.
    package mutating func insertProviderSignIn(_ new: NewProviderSignIn) -> BatchReading<Bool> {
        read(
            """
            insert into provider_sign_ins (app_id, id, provider_id, request_id, state_hash, browser_hash, secret_epoch,
                                           created_at, expires_at)
            select r.app_id, \(new.id), p.id, r.id, \(new.state.hash), r.browser_hash, \(new.secretEpoch), \(new.at),
                   \(new.at + Lifetimes.providerSignIn)
              from authorization_requests as r
              join identity_providers as p on p.app_id = r.app_id and p.id = \(new.provider) and p.state = 'enabled'
             where r.app_id = \(scope.appID) and r.id = \(new.request) and r.browser_hash = \(new.holder.hash)
               and r.answered_at is null and r.expires_at > \(new.at)
            """
        ) { $0.affectedCount == 1 }
    }

    /// Takes the answer to a way, once: of any number of racing callbacks one gets the row.
    ///
    /// State, browser and provider must be those that it began with: a state that is brought to another provider's
    /// redirect URI, or by another browser, uses nothing up.
    package mutating func consumeProviderSignIn(
        state: OneTimeToken, heldBy holder: OneTimeToken, at provider: ProviderName, at now: Instant
    ) -> BatchReading<ConsumedProviderSignIn?> {
        read(
            """
            update provider_sign_ins as s set consumed_at = \(now)
              from identity_providers as p
             where s.app_id = \(scope.appID) and s.state_hash = \(state.hash) and s.browser_hash = \(holder.hash)
               and s.consumed_at is null and s.expires_at > \(now)
               and p.app_id = s.app_id and p.id = s.provider_id and p.name = \(provider.text)
            returning s.id, s.request_id, s.secret_epoch
            """
        ) { rows in
            try rows.first.map { row in
                ConsumedProviderSignIn(
                    id: try row.get("id"), request: try row.get("request_id"),
                    secretEpoch: try row.get("secret_epoch"))
            }
        }
    }

    /// Keeps what a provider proved, until the account is proved too.
    package mutating func proveProviderSignIn(_ id: ProviderSignInID, _ proven: ProvenIdentity, at now: Instant) {
        add(
            """
            update provider_sign_ins
               set proven_at = \(now), identity_id = \(proven.id), subject = \(proven.subject),
                   email = \(proven.email.canonical), email_is_verified = \(proven.emailIsVerified),
                   tokens_sealed = \(proven.tokensSealed)
             where app_id = \(scope.appID) and id = \(id) and consumed_at is not null and proven_at is null
            """)
    }
}

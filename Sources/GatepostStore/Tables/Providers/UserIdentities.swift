package import GatepostModel
import Postgres

/// Who a user is with a provider, as its row says.
package struct UserIdentityRecord: Sendable {
    package let id: UserIdentityID
    package let issuer: String
    package let subject: String
    package let email: String?
    /// The provider that there is for this issuer now; nil if it was deleted.
    package let providerName: String?
    package let providerLabel: String?
    package let createdAt: Instant
    package let lastUsedAt: Instant
}

/// The user of an identity, as far as a sign-in has to know.
package struct IdentityHolder: Sendable {
    package let identity: UserIdentityID
    package let userID: UserID
    package let authEpoch: Int32
    package let isDeactivated: Bool
}

/// What removing an identity came to.
package enum IdentityRemoval: Sendable, Equatable {
    /// Also the name of its provider.
    case removed(provider: String)
    case unknown
    /// Nothing else would let the user in.
    case isLastWay
}

extension AppBatch {
    /// Whose identity this is; nil for nobody's.
    package mutating func identityHolder(issuer: String, subject: String) -> BatchReading<IdentityHolder?> {
        read(
            """
            select i.id, u.id as user_id, u.auth_epoch, u.state = 'deactivated' as is_deactivated
              from user_identities as i
              join users as u on u.app_id = i.app_id and u.id = i.user_id
             where i.app_id = \(scope.appID) and i.issuer = \(issuer) and i.subject = \(subject)
            """
        ) { rows in
            try rows.first.map { row in
                IdentityHolder(
                    identity: try row.get("id"), userID: try row.get("user_id"), authEpoch: try row.get("auth_epoch"),
                    isDeactivated: try row.get("is_deactivated"))
            }
        }
    }

    /// Notes that an identity was used, with what the provider told this time.
    ///
    /// Without tokens those of before are forgotten: the provider's settings no longer ask for them.
    package mutating func touchIdentity(
        _ id: UserIdentityID, email: EmailAddress?, tokensSealed: [UInt8]?, at now: Instant
    ) {
        add(
            """
            update user_identities
               set last_used_at = \(now), email = coalesce(\(email?.canonical)::text, email),
                   tokens_sealed = \(tokensSealed)::bytea
             where app_id = \(scope.appID) and id = \(id)
            """)
    }

    /// Gives a user who has just come about their identity; nothing if they did not.
    ///
    /// An identity that somebody else has by now is an error, which undoes the user too.
    package mutating func insertIdentity(
        _ proven: ProvenIdentity, issuer: String, ofNew user: UserID, at now: Instant
    ) {
        add(
            """
            insert into user_identities (app_id, id, user_id, issuer, subject, email, tokens_sealed, created_at,
                                         last_used_at)
            select u.app_id, \(proven.id), u.id, \(issuer), \(proven.subject), \(proven.email?.canonical),
                   \(proven.tokensSealed), \(now), \(now)
              from users as u
             where u.app_id = \(scope.appID) and u.id = \(user)
            """)
    }

    /// Links what a provider has proved in this browser to the user whose sign-in has just answered the request.
    ///
    /// Never by the address alone: the user has proved the account in this very transaction, and the provider the same
    /// address. Where the provider does not answer for the address, the user must have proved it by mail since.
    ///
    /// - Parameters:
    ///   - request: What was answered.
    ///   - holderHash: The hash of the browser's token.
    ///   - code: The answer: without it nothing happens.
    ///   - now: The moment.
    package mutating func linkProvenIdentity(
        of request: AuthorizationRequestID, heldBy holderHash: [UInt8], ifIssued code: OneTimeToken, at now: Instant
    ) {
        add(
            """
            insert into user_identities (app_id, id, user_id, issuer, subject, email, tokens_sealed, created_at,
                                         last_used_at)
            select s.app_id, s.identity_id, u.id, p.issuer, s.subject, s.email, s.tokens_sealed, \(now), \(now)
              from provider_sign_ins as s
              join identity_providers as p on p.app_id = s.app_id and p.id = s.provider_id and p.state = 'enabled'
              join authorization_codes as a on a.app_id = s.app_id and a.code_hash = \(code.hash)
              join users as u on u.app_id = a.app_id and u.id = a.user_id and u.email = s.email
             where s.app_id = \(scope.appID) and s.request_id = \(request) and s.browser_hash = \(holderHash)
               and s.proven_at > \(now - Lifetimes.provenIdentity)
               and (s.email_is_verified or u.email_verified_at > s.proven_at)
             order by s.proven_at desc
             limit 1
            on conflict do nothing
            """)
    }

    /// A user's identities, oldest first.
    package mutating func identities(of user: UserID) -> BatchReading<[UserIdentityRecord]> {
        read(
            """
            select i.id, i.issuer, i.subject, i.email, p.name as provider_name, p.label as provider_label,
                   i.created_at, i.last_used_at
              from user_identities as i
              left join identity_providers as p on p.app_id = i.app_id and p.issuer = i.issuer
             where i.app_id = \(scope.appID) and i.user_id = \(user)
             order by i.created_at, i.id
             limit 100
            """
        ) { rows in
            try rows.map { row in
                UserIdentityRecord(
                    id: try row.get("id"), issuer: try row.get("issuer"), subject: try row.get("subject"),
                    email: try row.get("email"), providerName: try row.get("provider_name"),
                    providerLabel: try row.get("provider_label"), createdAt: try row.get("created_at"),
                    lastUsedAt: try row.get("last_used_at"))
            }
        }
    }

    /// Removes an identity of a user's, unless nothing else would let them in: a password, or another provider.
    ///
    /// The user is locked first, so that of two identities that are removed at once one stays.
    package mutating func deleteIdentity(
        _ id: UserIdentityID, of user: UserID
    ) -> BatchReading<IdentityRemoval> {
        add("select from users where app_id = \(scope.appID) and id = \(user) for no key update")
        let removed = read(
            """
            delete from user_identities as i
             where i.app_id = \(scope.appID) and i.id = \(id) and i.user_id = \(user)
               and (exists (select from credentials as c where c.app_id = i.app_id and c.user_id = i.user_id)
                    or exists (select from user_identities as o
                                 join identity_providers as p
                                   on p.app_id = o.app_id and p.issuer = o.issuer and p.state = 'enabled'
                                where o.app_id = i.app_id and o.user_id = i.user_id and o.id <> i.id))
            returning coalesce((select p.label from identity_providers as p
                                 where p.app_id = i.app_id and p.issuer = i.issuer), i.issuer) as provider
            """
        ) { try $0.first?.get("provider", as: String.self) }
        let isLeft = read(
            "select from user_identities where app_id = \(scope.appID) and id = \(id) and user_id = \(user)"
        ) { !$0.isEmpty }
        return removed.and(isLeft).map { provider, isLeft in
            provider.map { .removed(provider: $0) } ?? (isLeft ? .isLastWay : .unknown)
        }
    }
}

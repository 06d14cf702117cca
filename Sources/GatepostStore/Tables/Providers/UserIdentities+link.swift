package import GatepostModel
import Postgres

/// What linking an identity to a user who is signed in came to.
package enum IdentityLinking: Sendable, Equatable {
    case linked(UserIdentityID)
    /// It is somebody else's, or the user has another one of the same issuer.
    case isTaken
    /// The way is not one of this session, used up, or its user is another by now.
    case isGone
}

extension AppBatch {
    /// Links what a provider has proved to the user whose way this is, if this very transaction has used it up.
    ///
    /// User, epoch and provider are looked at again: what was switched off meanwhile links nothing.
    package mutating func linkIdentity(
        of way: ProviderSignInID, in session: SessionID, at now: Instant
    ) -> BatchReading<IdentityLinking> {
        add(
            """
            insert into user_identities (app_id, id, user_id, issuer, subject, email, tokens_sealed, created_at,
                                         last_used_at)
            select w.app_id, w.identity_id, u.id, p.issuer, w.subject, w.email, w.tokens_sealed, \(now), \(now)
              from provider_sign_ins as w
              join identity_providers as p on p.app_id = w.app_id and p.id = w.provider_id and p.state = 'enabled'
              join sessions as s on s.app_id = w.app_id and s.id = w.session_id
              join users as u on u.app_id = w.app_id and u.id = w.user_id and u.auth_epoch = w.auth_epoch
             where w.app_id = \(scope.appID) and w.id = \(way) and w.session_id = \(session)
               and w.linked_at is not null and w.xmin = pg_current_xact_id()::xid and \(sessionStands(at: now))
            on conflict do nothing
            """)
        return read(
            """
            select i.id, coalesce(i.user_id = w.user_id, false) as is_own
              from provider_sign_ins as w
              join identity_providers as p on p.app_id = w.app_id and p.id = w.provider_id and p.state = 'enabled'
              join sessions as s on s.app_id = w.app_id and s.id = w.session_id
              join users as u on u.app_id = w.app_id and u.id = w.user_id and u.auth_epoch = w.auth_epoch
              left join user_identities as i
                on i.app_id = w.app_id and i.issuer = p.issuer and i.subject = w.subject
             where w.app_id = \(scope.appID) and w.id = \(way) and w.session_id = \(session)
               and w.linked_at is not null and w.xmin = pg_current_xact_id()::xid and \(sessionStands(at: now))
            """
        ) { rows in
            guard let row = rows.first else { return .isGone }
            guard let id = try row.get("id", as: UserIdentityID?.self), try row.get("is_own") else { return .isTaken }
            return .linked(id)
        }
    }

    /// Links what a provider has proved in this browser to the user who has just signed in there, for the account's
    /// own pages.
    ///
    /// As for a client's request, but only where the provider answers for the address: no request ties the two ways
    /// together here, only the browser and the hour.
    package mutating func linkProvenIdentity(
        ofBrowser holderHash: [UInt8], ifBegan session: SessionID, at now: Instant
    ) {
        add(
            """
            insert into user_identities (app_id, id, user_id, issuer, subject, email, tokens_sealed, created_at,
                                         last_used_at)
            select w.app_id, w.identity_id, u.id, p.issuer, w.subject, w.email, w.tokens_sealed, \(now), \(now)
              from provider_sign_ins as w
              join identity_providers as p on p.app_id = w.app_id and p.id = w.provider_id and p.state = 'enabled'
              join sessions as s on s.app_id = w.app_id and s.id = \(session)
              join users as u on u.app_id = s.app_id and u.id = s.user_id and u.email = w.email
             where w.app_id = \(scope.appID) and w.browser_hash = \(holderHash) and w.request_id is null
               and w.user_id is null and w.email_is_verified and w.proven_at > \(now - Lifetimes.provenIdentity)
             order by w.proven_at desc
             limit 1
            on conflict do nothing
            """)
    }
}

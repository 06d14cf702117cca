package import GatepostModel
import Postgres

extension AppBatch {
    /// The way whose code an app brings in the name of the session that asked; nil for any other.
    package mutating func identityLink(
        code: OneTimeToken, from session: SessionID, at now: Instant
    ) -> BatchReading<ProviderSignInID?> {
        read(
            """
            select id from provider_sign_ins
             where app_id = \(scope.appID) and code_hash = \(code.hash) and session_id = \(session)
               and linked_at is null and proven_at > \(now - Lifetimes.authorizationCode)
            """
        ) { try $0.first?.get("id") }
    }

    /// Uses the code of a way up: of any number of racing callers one does.
    package mutating func redeemIdentityLink(_ way: ProviderSignInID, by session: SessionID, at now: Instant) {
        add(
            """
            update provider_sign_ins set linked_at = \(now)
             where app_id = \(scope.appID) and id = \(way) and session_id = \(session)
               and code_hash is not null and linked_at is null
            """)
    }
}

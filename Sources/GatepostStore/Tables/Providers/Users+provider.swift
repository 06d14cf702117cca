package import GatepostModel
import Postgres

extension AppBatch {
    /// Makes a user whose address a provider answers for, unless the address has one or the identity is somebody's.
    ///
    /// An address that waits to be verified has one: whoever signed up with it may not be whom the provider means.
    package mutating func insertUser(
        _ id: UserID, email: EmailAddress, provenBy issuer: String, _ subject: String, at now: Instant
    ) {
        add(
            """
            insert into users (app_id, id, email, email_entered, email_verified_at, state, auth_epoch, created_at)
            select \(scope.appID), \(id), \(email.canonical), \(email.ascii), \(now), 'active', 1, \(now)
             where not exists (select from user_identities as i
                                where i.app_id = \(scope.appID) and i.issuer = \(issuer) and i.subject = \(subject))
            on conflict (app_id, email) do nothing
            """)
    }
}

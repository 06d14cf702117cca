package import GatepostModel
import Postgres

/// A user as its row says.
package struct UserRecord: Sendable {
    package let id: UserID
    package let email: String
    package let emailVerifiedAt: Instant?
    package let isDeactivated: Bool
    package let authEpoch: Int32
    package let createdAt: Instant
    /// Since when the user is deactivated; nil for an active one.
    package let deactivatedAt: Instant?

    init(_ row: PostgresRow) throws {
        id = try row.get("id")
        email = try row.get("email_entered")
        emailVerifiedAt = try row.get("email_verified_at")
        isDeactivated = try row.get("state", as: String.self) == "deactivated"
        authEpoch = try row.get("auth_epoch")
        createdAt = try row.get("created_at")
        deactivatedAt = try row.get("deactivated_at")
    }
}

extension AppBatch {
    /// Makes an unverified user unless the address has one.
    ///
    /// The update that never happens locks the row of the one it has: of two sign-ups the later one then sees the
    /// earlier one's flow and supersedes it.
    ///
    /// - Parameters:
    ///   - id: The new user's id.
    ///   - email: The address.
    ///   - locale: The person's language, as far as the request told.
    ///   - now: The moment.
    package mutating func insertUser(_ id: UserID, email: EmailAddress, locale: String? = nil, at now: Instant) {
        add(
            """
            insert into users as u (app_id, id, email, email_entered, state, auth_epoch, locale, created_at)
            values (\(scope.appID), \(id), \(email.canonical), \(email.ascii), 'active', 1, \(locale), \(now))
            on conflict (app_id, email) do update set created_at = u.created_at where false
            """)
    }

    /// Marks a user's address as proved; whatever carries the older epoch is dead from here on.
    package mutating func markVerified(_ id: UserID, at now: Instant) {
        add(
            """
            update users set email_verified_at = \(now), auth_epoch = auth_epoch + 1
             where app_id = \(scope.appID) and id = \(id)
            """)
    }

    /// Raises a user's epoch: every code, session and refresh token made before is dead.
    package mutating func raiseEpoch(of id: UserID) {
        add("update users set auth_epoch = auth_epoch + 1 where app_id = \(scope.appID) and id = \(id)")
    }

    /// One user by address; nil if the app has none.
    package mutating func user(email: EmailAddress) -> BatchReading<UserRecord?> {
        read(
            """
            select id, email_entered, email_verified_at, state, auth_epoch, created_at, deactivated_at
              from users
             where app_id = \(scope.appID) and email = \(email.canonical)
            """
        ) { try $0.first.map(UserRecord.init) }
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport

/// What a sign-in with a provider has written, as a test looks at it.
extension ProviderWorld {
    private func texts(_ statement: SQL) async throws -> [String] {
        try await TestDatabase.current.withSuperuser { pool in
            let rows = try await pool.batch([statement], deadline: .seconds(10))[0]
            return try rows.map { row throws(PostgresError) in try row.get(0, as: String.self) }
        }
    }

    /// Changes the app's rows behind its back.
    func change(_ statement: String) async throws {
        let hex = test.app.id.uuid.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        try await TestDatabase.current.withSuperuser { pool in
            _ = try await pool.batch([.trusted("\(statement) where app_id = '\(hex)'")], deadline: .seconds(10))
        }
    }

    /// Why sign-ins were refused, in the order of the trail.
    func refusalReasons() async throws -> [String] {
        try await texts(
            """
            select reason from audit_events
             where app_id = \(test.app.id) and kind = 'sign_in.refused' and reason is not null
             order by created_at, id
            """)
    }

    /// The kinds of the app's events, sorted.
    func eventKinds() async throws -> [String] {
        try await texts("select kind from audit_events where app_id = \(test.app.id) order by kind, id")
    }

    /// The app's identities, as `subject email`.
    func identities() async throws -> [String] {
        try await texts(
            """
            select i.subject || ' ' || u.email from user_identities as i
              join users as u on u.app_id = i.app_id and u.id = i.user_id
             where i.app_id = \(test.app.id) order by 1
            """)
    }

    /// The app's users, by address.
    func users() async throws -> [String] {
        try await texts("select email from users where app_id = \(test.app.id) order by 1")
    }

    /// The provider's tokens that are kept.
    func keptTokens() async throws -> [(identity: UserIdentityID, sealed: [UInt8])] {
        try await TestDatabase.current.withSuperuser { pool in
            let rows = try await pool.batch(
                [
                    """
                    select id, tokens_sealed from user_identities
                     where app_id = \(test.app.id) and tokens_sealed is not null
                    """
                ], deadline: .seconds(10))[0]
            return try rows.map { row throws(PostgresError) in (try row.get("id"), try row.get("tokens_sealed")) }
        }
    }

    /// Whether nobody came about, nobody was linked and no code was issued.
    func isUntouched() async throws -> Bool {
        let counts = try await texts(
            """
            select (select count(*) from users where app_id = \(test.app.id))
                 + (select count(*) from user_identities where app_id = \(test.app.id))
                 + (select count(*) from authorization_codes where app_id = \(test.app.id))
                 + (select count(*) from provider_sign_ins where app_id = \(test.app.id) and proven_at is not null)
                   || ''
            """)
        return counts == ["0"]
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// What happens to the account while a sign-in computes its hash.
///
/// A lock on a table stops the sign-in there, and the change is made meanwhile: `authorization_codes` is written after
/// the hash, `rate_limits` before it. Each test has a database of its own, because the lock is on the whole table.
@Suite("Password sign-in: changes during the hash", .ownDatabase, .showsSeed)
struct PasswordSignInRaceTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    /// Signs in with the right password and makes a change while the sign-in waits.
    private func signIn(
        _ test: TestFlows, _ email: EmailAddress, at table: String = "authorization_codes",
        while change: @escaping @Sendable (UserID) async throws -> Void
    ) async throws -> PasswordSignInFlow.Outcome {
        let user = try await test.verifiedUser(email)
        return try await TestDatabase.current.withSuperuser { admin in
            let signingIn = try await admin.transaction(deadline: .seconds(60)) { holder in
                try await holder.query(.trusted("lock table \(table) in exclusive mode"))
                let signingIn = Task {
                    try await test.flows.signIn.signIn(
                        email, password: TestFlows.password, to: test.client(), in: test.scope,
                        from: TestFlows.origin)
                }
                // Bounded by the holder's deadline. Of this database: its copies have tables of the same number, and
                // the locks of all are in one view.
                var isWaiting = false
                while !isWaiting {
                    isWaiting = try await !holder.query(
                        """
                        select from pg_locks
                         where relation = \(table)::text::regclass and not granted
                           and database = (select oid from pg_database where datname = current_database())
                        """
                    ).isEmpty
                }
                try await change(user)
                return signingIn
            }
            return try await signingIn.value
        }
    }

    private func expectNoCode(
        _ test: TestFlows, _ outcome: PasswordSignInFlow.Outcome,
        sourceLocation location: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(outcome.refusal?.code == .invalidCredentials, sourceLocation: location)
        #expect(try await test.rows().tables["authorization_codes"]?.count == 0, sourceLocation: location)
        let events = try await test.events()
        #expect(!events.contains { $0.kind == "sign_in.passed" }, sourceLocation: location)
        let event = try #require(events.last, sourceLocation: location)
        #expect(event.kind == "sign_in.refused", sourceLocation: location)
        #expect(event.reason == "invalid_credentials", sourceLocation: location)
    }

    @Test func `without a change the sign-in goes on once the lock is gone`() async throws {
        let test = try await TestFlows.make()

        #expect(try await signIn(test, ada) { _ in }.code != nil)
    }

    @Test func `a password that was changed meanwhile signs nobody in`() async throws {
        let test = try await TestFlows.make()

        let outcome = try await signIn(test, ada) { user in
            try await test.database.batch(in: test.scope) { batch in
                batch.setPassword("$argon2id$another", of: user, at: test.clock.now)
            }
        }

        try await expectNoCode(test, outcome)
    }

    @Test func `an epoch that was raised meanwhile signs nobody in`() async throws {
        let test = try await TestFlows.make()

        let outcome = try await signIn(test, ada) { user in
            try await test.database.batch(in: test.scope) { $0.raiseEpoch(of: user) }
        }

        try await expectNoCode(test, outcome)
    }

    @Test func `a user who was deactivated meanwhile is not signed in`() async throws {
        let test = try await TestFlows.make()

        let outcome = try await signIn(test, ada) { user in
            try await test.write(
                """
                update users set state = 'deactivated', deactivated_at = \(test.clock.now) where id = \(user)
                """)
        }

        try await expectNoCode(test, outcome)
    }

    @Test func `the code's minute begins when the hash is done, not when the request came`() async throws {
        let test = try await TestFlows.make()

        let outcome = try await signIn(test, ada, at: "rate_limits") { _ in test.clock.advance(by: .seconds(90)) }
        let code = try #require(outcome.code)

        #expect(try await test.exchange(code) != nil)
    }
}

import Foundation
package import GatepostModel
package import GatepostOutbox
package import GatepostStore
package import Postgres

/// An app for one test: the unit of isolation in the shared database.
package struct TestApp: Sendable {
    package let database: Database
    package let scope: AppScope
    package let client: ClientID
    package let clock: TestClock
    package let random: SeededRandom
    package let keys: KeyRing

    package var id: AppID { scope.appID }

    /// Makes an app with a client, in the test's database.
    ///
    /// - Parameters:
    ///   - name: The app's name.
    ///   - database: Where; by default the test's own database or the shared one.
    ///   - clock: The time; by default one of its own.
    ///   - settings: What the app decides for itself.
    /// - Returns: The app.
    /// - Throws: What Postgres says.
    package static func make(
        named name: String = "Test app", in database: Database? = nil, clock: TestClock = TestClock(),
        settings: AppSettings = AppSettings()
    ) async throws -> TestApp {
        let database = if let database { database } else { try await TestDatabase.current.database }
        let random = SeededRandom()
        let id = AppID.make(at: clock.now, random: random)
        let client = ClientID.make(at: clock.now, random: random)
        let redirectURIs = ["https://app.example/callback"].compactMap(RedirectURI.init)
        try await database.createApp(id, named: name, settings: settings, at: clock.now) { batch in
            batch.insertClient(client, named: "Web", redirectURIs: redirectURIs, at: clock.now)
        }
        guard let scope = try await database.scope(of: id) else { throw TestAppMissing() }
        return TestApp(
            database: database, scope: scope, client: client, clock: clock, random: random, keys: try testKeys())
    }

    /// A key ring, the same in every test; `epoch` names the key that seals, and `others` those that only open.
    package static func testKeys(epoch: Int16 = 1, others: [Int16] = []) throws -> KeyRing {
        let entries = ([epoch] + others).map { epoch in
            let key = Data((0..<32).map { UInt8($0) ^ UInt8(truncatingIfNeeded: epoch) }).base64EncodedString()
            return "\(epoch):\(key)"
        }
        return try KeyRing(Secret(entries.joined(separator: ",")))
    }

    /// A new id of this moment.
    package func newID<Kind>(_ kind: TypedID<Kind>.Type = TypedID<Kind>.self) -> TypedID<Kind> {
        .make(at: clock.now, random: random)
    }

    /// A sign-up that has just begun, and the mail it owes.
    package struct SignUp: Sendable {
        package let email: EmailAddress
        package let flow: FlowID
        package let token: OneTimeToken
        /// What its mail says.
        package let secrets: FlowSecrets
        package let expiresAt: Instant
    }

    /// Begins a sign-up as the sign-up flow does, without the cost of its password hash.
    package func signUp(_ email: EmailAddress) async throws -> SignUp {
        let now = clock.now
        let flow: FlowID = newID()
        let secrets = FlowSecrets(app: id, flow: flow, kind: .signUp, keys: keys)
        let token = OneTimeToken.make(.flow, random: random)
        let new = NewSignUpFlow(
            id: flow, email: email, secrets: secrets, token: token, passwordHash: "$test$", createdAt: now,
            expiresAt: now + Lifetimes.verification)
        try await database.batch(in: scope) { batch in
            batch.insertUser(newID(), email: email, at: now)
            batch.supersedeFlows(.signUp, of: email, at: now)
            batch.insertSignUpFlow(new)
            batch.enqueueSignUpMail(
                flow: flow, id: newID(), address: email, recipientHash: keys.recipientHash(email, in: id), at: now,
                expiresAt: new.expiresAt - Lifetimes.mailMargin)
        }
        return SignUp(email: email, flow: flow, token: token, secrets: secrets, expiresAt: new.expiresAt)
    }

    /// Proves a sign-up's address by its link, as the click does.
    package func verify(_ signUp: SignUp) async throws {
        let now = clock.now
        try await database.transaction(in: scope) { transaction in
            let flow = try await transaction.consumeFlow(
                .signUp, .linkAlone(signUp.secrets.linkToken), epochs: keys.epochs, at: now)
            guard let user = flow?.userID else { throw TestAppMissing() }
            try await transaction.batch { $0.markVerified(user, at: now) }
        }
    }

    /// What the app owes and what became of it, the newest first.
    package func ledger() async throws -> [LedgerEntry] {
        try await database.batch(in: scope) { $0.ledger(limit: LedgerLimits.entriesMax, at: clock.now) }
    }

    /// One message of the ledger with its attempts.
    package func history(of message: MessageID) async throws -> LedgerHistory? {
        try await database.batch(in: scope) { $0.ledgerHistory(of: message, at: clock.now) }
    }
}

/// What a test had made was not there.
package struct TestAppMissing: Error {}

extension TestApp {
    /// The same app as another node sees it, with nothing remembered.
    package static func elsewhere(_ app: TestApp, through pool: PostgresPool) async throws -> TestApp {
        TestApp(
            database: Database(pool: pool), scope: app.scope, client: app.client, clock: app.clock,
            random: app.random, keys: app.keys)
    }
}

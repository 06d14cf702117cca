import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Sign-in ending")
struct SignInEndingTests {
    /// A verified user, and a request of the test's client that waits.
    private struct Waiting: Sendable {
        let test: TestFlows
        let user: UserID
        let epoch: Int32
        let request: AuthorizationRequestID
        let holder: OneTimeToken

        init(_ test: TestFlows, _ user: UserID) async throws {
            (self.test, self.user) = (test, user)
            holder = .make(.browser, random: test.app.random)
            request = test.app.newID()
            epoch = try await test.epoch(of: user)
            let new = NewAuthorizationRequest(
                id: request, clientID: test.app.client, redirectURI: TestFlows.redirectURI,
                challenge: try TestFlows.challenge(), holder: holder, at: test.clock.now)
            try await test.database.batch(in: test.scope) { $0.insertAuthorizationRequest(new) }
        }

        func end(
            heldBy other: OneTimeToken? = nil, epoch: Int32? = nil, condition: SignInProof.Condition = .none,
            _ hosting: SignInEnding.Hosting = .new(replacing: nil)
        ) async throws -> SignInEnding.Ended? {
            let proof = SignInProof(
                userID: user, authEpoch: epoch ?? self.epoch, amr: ["pwd"], authenticatedAt: test.clock.now,
                condition: condition)
            return try await test.flows.ending.end(
                .request(request, heldBy: other ?? holder), for: proof, hosting, in: test.scope,
                from: TestFlows.origin, at: test.clock.now)
        }
    }

    private static func counts(_ test: TestFlows) async throws -> [Int64] {
        try await test.database.batch(in: test.scope) { batch in
            batch.read(
                """
                select (select count(*) from authorization_codes) as codes,
                       (select count(*) from sessions where client_id is null) as sessions,
                       (select count(*) from audit_events where kind = 'sign_in.passed') as events
                """
            ) { rows in
                try rows.flatMap { try [$0.get("codes"), $0.get("sessions"), $0.get("events")] }
            }
        }
    }

    @Test func `of twenty who answer one request at once, one does, in thirty rounds`() async throws {
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(.of("ada@example.com"))
        for round in 1...Race.rounds {
            let waiting = try await Waiting(test, user)

            let ended = try await race(20) { try await waiting.end() }.compactMap(\.self)

            #expect(ended.count == 1)
            #expect(try await Self.counts(test) == [Int64(round), Int64(round), Int64(round)])
            let code = try #require(ended.first?.answer?.code)
            #expect(try await test.exchange(code) != nil)
            #expect(ended.first?.session != nil)
        }
    }

    @Test func `whoever does not hold the request answers nothing`() async throws {
        let test = try await TestFlows.make()
        let waiting = try await Waiting(test, try await test.verifiedUser(.of("ada@example.com")))

        let stranger = OneTimeToken.make(.browser, random: test.app.random)
        #expect(try await waiting.end(heldBy: stranger) == nil)

        #expect(try await Self.counts(test) == [0, 0, 0])
        #expect(try await waiting.end() != nil)
    }

    @Test func `a proof that no longer stands answers nothing and uses nothing up`() async throws {
        let test = try await TestFlows.make()
        let waiting = try await Waiting(test, try await test.verifiedUser(.of("ada@example.com")))

        #expect(try await waiting.end(epoch: waiting.epoch + 1) == nil)
        #expect(try await waiting.end(condition: .credential(version: 9)) == nil)
        #expect(try await waiting.end(condition: .session(test.app.newID())) == nil)
        #expect(try await Self.counts(test) == [0, 0, 0])

        #expect(try await waiting.end(condition: .credential(version: 1)) != nil)
    }

    @Test func `a request that is too old answers nothing`() async throws {
        let test = try await TestFlows.make()
        let waiting = try await Waiting(test, try await test.verifiedUser(.of("ada@example.com")))
        test.clock.advance(by: Lifetimes.authorizationRequest)
        #expect(try await waiting.end() == nil)
        #expect(try await Self.counts(test) == [0, 0, 0])
    }

    @Test func `without a browser no session of the pages begins`() async throws {
        let test = try await TestFlows.make()
        let waiting = try await Waiting(test, try await test.verifiedUser(.of("ada@example.com")))
        let ended = try #require(try await waiting.end(.none))
        #expect(ended.session == nil)
        #expect(ended.answer != nil)
        #expect(try await Self.counts(test) == [1, 0, 1])
    }

    @Test func `a code outlives no raise of the epoch`() async throws {
        let test = try await TestFlows.make()
        let waiting = try await Waiting(test, try await test.verifiedUser(.of("ada@example.com")))
        let code = try #require(try await waiting.end()?.answer?.code)
        try await test.database.batch(in: test.scope) { $0.raiseEpoch(of: waiting.user) }
        #expect(try await test.exchange(code) == nil)
    }
}

extension TestFlows {
    /// A user's epoch as it stands.
    func epoch(of user: UserID) async throws -> Int32 {
        try await database.batch(in: scope) { batch in
            batch.read("select auth_epoch from users where id = \(user)") { rows in
                try rows.first?.get("auth_epoch") ?? 0
            }
        }
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// What a client asks for holds until its answer, whatever happens in between.
@Suite("Authorize flow", .showsSeed)
struct AuthorizeFlowTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    /// What the test's client sends, but for what a test changes.
    private func asked(_ test: TestFlows, _ changes: [String: String] = [:]) throws -> AuthorizationParameters {
        var values = [
            "response_type": "code", "client_id": "\(test.app.client)", "redirect_uri": TestFlows.redirectURI,
            "code_challenge": try TestFlows.challenge().text, "code_challenge_method": "S256",
        ]
        values.merge(changes) { $1 }
        return AuthorizationParameters(values.map { ($0.key, $0.value) })
    }

    private func begin(
        _ test: TestFlows, _ changes: [String: String] = [:], by tokens: BrowserTokens
    ) async throws -> AuthorizeFlow.Outcome {
        try await test.flows.authorize.begin(
            asked(test, changes), locale: { _ in nil }, by: tokens, in: test.scope, from: TestFlows.origin)
    }

    /// A browser in which the user is signed in to the hosted pages.
    private func signedIn(_ test: TestFlows, _ user: UserID) async throws -> BrowserTokens {
        let proof = SignInProof(userID: user, authEpoch: nil, amr: ["pwd"], authenticatedAt: test.clock.now)
        let ended = try await test.flows.ending.end(
            .account, for: proof, .new(replacing: nil), in: test.scope, from: TestFlows.origin, at: test.clock.now)
        return BrowserTokens(
            browser: .make(.browser, random: test.app.random), session: try #require(ended?.session))
    }

    /// Story: the session was read, ended by another request, and the client that had asked for no page got one.
    @Test(.ownDatabase) func `prompt=none shows no page although the session ends at that very moment`() async throws {
        let test = try await TestFlows.make()
        let tokens = try await signedIn(test, try await test.verifiedUser(ada))
        guard case .answered = try await begin(test, ["prompt": "none"], by: tokens) else {
            Issue.record("a session that stands does not answer")
            return
        }
        let now = test.clock.now

        let asking = try await TestDatabase.current.withSuperuser { admin in
            try await admin.transaction(deadline: .seconds(60)) { holder in
                // The request refers to its client, so it waits here, with the session already read.
                try await holder.query("select from clients for update")
                let asking = Task { try await begin(test, ["prompt": "none"], by: tokens) }
                var waiterCount: Int64 = 0
                while waiterCount < 1 {
                    let results = try await admin.batch(
                        [
                            """
                            select count(*) as count from pg_locks as l join pg_stat_activity as a using (pid)
                             where not l.granted and a.datname = current_database()
                            """
                        ], deadline: .seconds(20))
                    waiterCount = try #require(results.first?.first).get("count")
                }
                try await holder.query(
                    "update sessions set ended_at = \(now), end_reason = 'signed_out' where client_id is null")
                return asking
            }
        }

        guard case .sentBack(let location) = try await asking.value else {
            Issue.record("a page is shown")
            return
        }
        #expect(location.hasPrefix("\(TestFlows.redirectURI)?error=login_required"))
    }

    @Test(.ownDatabase) func `a refusal is on disk before its answer is sent`() async throws {
        let test = try await TestFlows.make()
        try await TestDatabase.current.withSuperuser { admin in
            _ = try await admin.batch(
                [
                    "create table commits (kind text, mode text)", "grant insert on commits to gatepost_app",
                    """
                    create function note_commit() returns trigger language plpgsql as $$
                    begin
                      insert into commits values (new.kind, current_setting('synchronous_commit'));
                      return new;
                    end $$
                    """,
                    """
                    create trigger note_commit before insert on audit_events
                      for each row execute function note_commit()
                    """,
                ], deadline: .seconds(20))
        }
        let nobody = BrowserTokens(browser: nil, session: nil)

        _ = try await begin(test, ["client_id": "web"], by: nobody)
        _ = try await begin(test, ["redirect_uri": "https://evil.example/"], by: nobody)
        _ = try await begin(test, ["response_type": "token"], by: nobody)
        _ = try await begin(test, ["prompt": "none"], by: nobody)

        let modes = try await TestDatabase.current.withSuperuser { admin in
            try await admin.batch(["select kind, mode from commits"], deadline: .seconds(20))[0].map { row in
                "\(try row.get("kind", as: String.self)) \(try row.get("mode", as: String.self))"
            }
        }
        #expect(modes == Array(repeating: "sign_in.refused on", count: 4))
    }

    /// A request of the test's client that waits, as it was asked for.
    private func waiting(
        _ test: TestFlows, _ changes: [String: String]
    ) async throws -> (AuthorizationRequestID, OneTimeToken) {
        let outcome = try await begin(test, changes, by: BrowserTokens(browser: nil, session: nil))
        guard case .begun(let id, let holder) = outcome else { throw TestFlows.StepRefused(refusal: nil) }
        return (id, holder)
    }

    private func end(
        _ request: (AuthorizationRequestID, OneTimeToken), _ test: TestFlows, of user: UserID,
        provedAt moment: Instant
    ) async throws -> SignInEnding.Answer? {
        let proof = SignInProof(userID: user, authEpoch: nil, amr: ["pwd"], authenticatedAt: moment)
        return try await test.flows.ending.end(
            .request(request.0, heldBy: request.1), for: proof, .new(replacing: nil), in: test.scope,
            from: TestFlows.origin, at: test.clock.now)?.answer
    }

    @Test func `a proof that is older than max_age allowed at the start is no answer at the end`() async throws {
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(ada)
        let begun = test.clock.now
        let request = try await waiting(test, ["max_age": "60"])
        test.clock.advance(by: .minutes(30))

        #expect(try await end(request, test, of: user, provedAt: begun - .seconds(60) - .microseconds(1)) == nil)
        #expect(try await end(request, test, of: user, provedAt: begun - .seconds(60)) != nil)
    }

    @Test func `prompt=login is answered by a proof of after it only`() async throws {
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(ada)
        let begun = test.clock.now
        for changes in [["prompt": "login"], ["prompt": "login", "max_age": "3600"], ["max_age": "0"]] {
            let request = try await waiting(test, changes)
            #expect(try await end(request, test, of: user, provedAt: begun - .microseconds(1)) == nil, "\(changes)")
            #expect(try await end(request, test, of: user, provedAt: begun) != nil, "\(changes)")
        }
    }

    @Test func `the nonce goes through to the code`() async throws {
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(ada)
        for nonce in ["n-0S6_WzA2Mj", "a b&c=d"] {
            let request = try await waiting(test, ["nonce": nonce])
            #expect(try await end(request, test, of: user, provedAt: test.clock.now) != nil)
        }
        #expect(try await end(try await waiting(test, [:]), test, of: user, provedAt: test.clock.now) != nil)
        let nonces = try await test.read("select nonce from authorization_codes") {
            try $0.get("nonce", as: String?.self) ?? "none"
        }
        #expect(nonces.sorted() == ["a b&c=d", "n-0S6_WzA2Mj", "none"])
    }

    @Test func `a redirect URI that was taken from the client meanwhile gets no code`() async throws {
        let test = try await TestFlows.make()
        let user = try await test.verifiedUser(ada)
        let request = try await waiting(test, [:])
        let loopback = try #require(RedirectURI("http://127.0.0.1/cb"))
        let native: ClientID = test.app.newID()
        try await test.database.batch(in: test.scope) { batch in
            batch.insertClient(native, named: "Native", redirectURIs: [loopback], at: test.clock.now)
        }
        let port = try await waiting(
            test, ["client_id": "\(native)", "redirect_uri": "http://127.0.0.1:51004/cb"])
        let answer = try #require(try await end(port, test, of: user, provedAt: test.clock.now))
        #expect(answer.location.hasPrefix("http://127.0.0.1:51004/cb?code=gac_"))

        let superuser = try await TestDatabase.current.superuserPool()
        _ = try await superuser.batch(
            ["delete from client_redirect_uris where app_id = \(test.app.id)"], deadline: .seconds(10))
        await superuser.shutdown()

        #expect(try await end(request, test, of: user, provedAt: test.clock.now) == nil)
        let codes = try await test.read("select redirect_uri from authorization_codes") {
            try $0.get("redirect_uri", as: String.self)
        }
        #expect(codes == ["http://127.0.0.1:51004/cb"])
    }
}

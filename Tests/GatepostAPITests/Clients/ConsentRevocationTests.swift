import Curl
import GatepostModel
import TestSupport
import Testing

/// What ends when a user takes back what they have allowed.
@Suite("Consent taken back")
struct ConsentRevocationTests {
    @Test func `on the account's page it ends what the client has, and nothing else`() async throws {
        try await ThirdParty.running { other in
            let server = other.server
            let browser = TestBrowser(server)
            let own = try await server.session()
            let mine = try TestServer.Tokens(try await other.tokens(other.allow(["scope": "openid"], in: browser)))
            let waiting = try #require(
                try await browser.open(other.path(["scope": "openid"])).parameter("code"), "a code under way")
            let account = try await browser.open("\(server.hosted)/account")
            #expect(account.text.contains("Services with access") && account.text.contains("Other"))

            let path = "\(server.hosted)/account/consents/\(other.id)/revoke"
            let answer = try await browser.submit(path, [:])
            #expect(answer.location == "\(server.hosted)/account?done=consent", "\(answer.text)")

            #expect(try await server.userInfo(mine.access).field("error") == "invalid_token")
            #expect(try await server.refresh(mine.refresh, client: other.id).field("error") == "invalid_grant")
            #expect(try await other.tokens(waiting).field("error") == "invalid_grant")
            #expect(try await server.me(own.access).status == 200, "the app's own client goes on")
            let shown = try await browser.open("\(server.hosted)/account?done=consent")
            #expect(shown.status == 200 && !shown.text.contains("Services with access"))
            #expect(shown.text.contains("has no access any more"))
            let asked = try await browser.open(other.path(["scope": "openid"]))
            #expect(asked.location?.contains("/consent?request=") == true)
            #expect(try await server.events().contains("consent.revoked consent_revoked"))
            let reasons = try await server.texts(
                "select end_reason as text from sessions where client_id is not null and ended_at is not null")
            #expect(reasons == ["consent_revoked"])
            #expect(try await browser.submit(path, [:]).status == 404, "once")
        }
    }

    @Test func `the app is told of each session that ends by it`() async throws {
        try await ThirdParty.running { other in
            _ = try await other.server.app.addEndpoint()
            let browser = TestBrowser(other.server)
            _ = try await other.tokens(other.allow(["scope": "openid"], in: browser))
            _ = try await browser.submit(
                "\(other.server.hosted)/account/consents/\(other.id)/revoke", [:])
            let owed = try await other.server.texts("select kind || ' ' || payload::text as text from outbox")
            #expect(owed.count { $0.contains("session.ended") && $0.contains("consent_revoked") } == 1, "\(owed)")
        }
    }

    @Test func `by the API a user sees whom they have let in, page by page, and takes it back`() async throws {
        try await ThirdParty.running { other in
            let server = other.server
            let own = try await server.session()
            let second = try await server.anotherClient()
            try await server.change(second, #"{"party": "third_party", "name": "Second"}"#)
            for client in [other, ThirdParty(server: server, id: second)] {
                server.app.clock.advance(by: .seconds(1))
                try await client.allow(["scope": "openid email"], in: TestBrowser(server))
            }
            func list(_ query: String = "") async throws -> HTTPResponse {
                try await server.send(
                    "GET", "\(server.api)/me/consents\(query)", headers: ["Authorization": "Bearer \(own.access)"])
            }
            func revoke(_ client: ClientID) async throws -> HTTPResponse {
                try await server.send(
                    "DELETE", "\(server.api)/me/consents/\(client)", headers: ["Authorization": "Bearer \(own.access)"])
            }
            let all = try await list()
            #expect(all.status == 200 && all.text.contains(#""scope":"openid email""#), "\(all.text)")
            #expect(all.text.contains("\(other.id)") && all.text.contains("\(second)"))
            let first = try await list("?limit=1")
            #expect(first.text.contains("Second") && !first.text.contains("\(other.id)"), "the latest first")
            let cursor = try #require(first.field("next_cursor"))
            let rest = try await list("?limit=1&cursor=\(cursor)")
            #expect(rest.text.contains("\(other.id)") && rest.field("next_cursor") == nil, "\(rest.text)")

            #expect(try await revoke(second).status == 204)
            #expect(try await revoke(second).problem == .notFound)
            #expect(try await revoke(server.app.client).problem == .notFound)
            #expect(try await !list().text.contains("Second"))
            // Another user's is theirs.
            try await server.verifiedUser("eve@example.com")
            let eve = try await server.session("eve@example.com")
            let foreign = try await server.send(
                "DELETE", "\(server.api)/me/consents/\(other.id)", headers: ["Authorization": "Bearer \(eve.access)"])
            #expect(foreign.problem == .notFound)
            #expect(try await list().text.contains("\(other.id)"))
        }
    }

    /// The exchange waits for the row of the code, or the other way round: in either order nothing of it lives on.
    @Test func `a code that is exchanged while consent is taken back gives nothing that lasts, in twenty rounds`()
        async throws
    {
        try await ThirdParty.running { other in
            let server = other.server
            let own = try await server.session()
            let browser = TestBrowser(server)
            for _ in 0..<min(Race.rounds, 20) {
                let begun = try await browser.open(other.path(["scope": "openid"]))
                let page =
                    if let page = begun.location, page.contains("/consent?") { page } else {
                        try await other.asked(["scope": "openid"], in: browser)
                    }
                let code = try #require(try await other.say("allow", to: page, in: browser).parameter("code"))
                async let exchanging = other.tokens(code)
                async let revoking = server.send(
                    "DELETE", "\(server.api)/me/consents/\(other.id)",
                    headers: ["Authorization": "Bearer \(own.access)"])
                let (tokens, revoked) = try await (exchanging, revoking)
                #expect(revoked.status == 204)
                if let access = tokens.field("access_token") {
                    #expect(try await server.userInfo(access).field("error") == "invalid_token")
                }
                let alive = try await server.texts(
                    "select id::text as text from sessions where client_id = '\(other.hex)' and ended_at is null")
                #expect(alive == [])
            }
        }
    }
}

extension ThirdParty {
    /// The client's id as SQL writes it.
    var hex: String { id.uuid.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}

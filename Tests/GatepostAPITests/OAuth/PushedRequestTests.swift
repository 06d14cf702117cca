import Curl
import GatepostModel
import GatepostStore
import TestSupport
import Testing

@Suite("Pushed authorization requests")
struct PushedRequestTests {
    private func running(_ body: (TestServer, ConfidentialClient) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await body(server, try await server.confidentialClient())
        }
    }

    private func push(
        _ server: TestServer, _ authorization: String?, _ changes: [String: String?] = [:]
    ) async throws -> HTTPResponse {
        var fields: [String: String?] = [
            "response_type": "code", "redirect_uri": TestFlows.redirectURI, "code_challenge": TestServer.challenge,
            "code_challenge_method": "S256", "state": "pushed", "scope": "openid", "nonce": "n",
        ]
        fields.merge(changes) { $1 }
        let body = fields.compactMap { name, value in
            value.map { "\(name)=\($0.replacing(":", with: "%3A").replacing("/", with: "%2F"))" }
        }.sorted().joined(separator: "&")
        var headers = [HTTPRequest.Header("Content-Type", "application/x-www-form-urlencoded")]
        if let authorization { headers.append(.init("Authorization", authorization)) }
        return try await server.send("POST", "\(server.hosted)/oauth/par", fields: headers, body: Array(body.utf8))
    }

    private func path(_ server: TestServer, _ client: ClientID, _ requestURI: String, more: String = "") -> String {
        let name = requestURI.replacing(":", with: "%3A")
        return "\(server.hosted)/oauth/authorize?client_id=\(client)&request_uri=\(name)\(more)"
    }

    @Test func `what was pushed is what the browser's sign-in is for`() async throws {
        try await running { server, client in
            let pushed = try await push(server, client.basic)
            #expect(pushed.status == 201 && pushed.field("expires_in") == "60", "\(pushed.text)")
            #expect(pushed.header("Cache-Control") == "no-store")
            let uri = try #require(pushed.field("request_uri"))
            #expect(uri.hasPrefix("urn:ietf:params:oauth:request_uri:"))
            let browser = TestBrowser(server)
            // What stands beside it in the address counts for nothing.
            let begun = try await browser.open(path(server, client.id, uri, more: "&state=mine&scope=email"))
            let page = try #require(begun.location, "\(begun.text)")
            let answer = try await browser.submit(page, ["email": "ada@example.com", "password": TestServer.password])
            #expect(answer.parameter("state") == "pushed", "\(answer.text)")
            let tokens = try await server.issuer(
                "token",
                [
                    "grant_type": "authorization_code", "code": try #require(answer.parameter("code")),
                    "redirect_uri": TestFlows.redirectURI, "code_verifier": TestFlows.codeVerifier,
                ], authorization: client.basic)
            #expect(tokens.field("scope") == "openid", "\(tokens.text)")
            #expect(try ReadToken(try #require(tokens.field("id_token")))["nonce"] == "n")
        }
    }

    @Test func `it works once, for a minute, and for its client alone`() async throws {
        try await running { server, client in
            func uri() async throws -> String {
                try #require(try await push(server, client.basic).field("request_uri"))
            }
            let browser = TestBrowser(server)
            let (once, late, foreign) = (try await uri(), try await uri(), try await uri())
            #expect(try await browser.open(path(server, client.id, once)).status == 303)
            let again = try await browser.open(path(server, client.id, once))
            #expect(again.status == 400 && again.location == nil)
            let other = try await browser.open(path(server, server.app.client, foreign))
            #expect(other.status == 400 && other.location == nil)
            #expect(try await browser.open(path(server, client.id, foreign)).status == 303)
            server.app.clock.advance(by: .seconds(60))
            #expect(try await browser.open(path(server, client.id, late)).status == 400)
            #expect(try await browser.open(path(server, client.id, "urn:other")).status == 400)
        }
    }

    @Test func `of sixteen browsers that race with one, one gets on`() async throws {
        try await running { server, client in
            let uri = try #require(try await push(server, client.basic).field("request_uri"))
            let path = path(server, client.id, uri)
            let statuses = try await race(16) { try await TestBrowser(server).open(path).status }
            #expect(statuses.count { $0 == 303 } == 1 && statuses.count { $0 == 400 } == 15)
        }
    }

    static let flaws: [([String: String?], String)] = [
        (["redirect_uri": "https://evil.example/"], "invalid_request"), (["redirect_uri": nil], "invalid_request"),
        (["code_challenge": nil], "invalid_request"), (["code_challenge_method": "plain"], "invalid_request"),
        (["response_type": "token"], "unsupported_response_type"), (["prompt": "none login"], "invalid_request"),
        (["request_uri": "urn:x"], "request_uri_not_supported"), (["request": "x.y.z"], "request_not_supported"),
    ]

    @Test(arguments: flaws.indices) func `what the authorize endpoint would refuse is refused here`(
        _ index: Int
    ) async throws {
        try await running { server, client in
            let (changes, error) = Self.flaws[index]
            let answer = try await push(server, client.basic, changes)
            #expect(answer.status == 400 && answer.field("error") == error, "\(answer.text)")
            #expect(try await server.texts("select 'x' as text from pushed_requests").isEmpty)
        }
    }

    @Test func `a client proves itself, and no proof of it is kept`() async throws {
        try await running { server, client in
            #expect(try await push(server, nil, ["client_id": "\(client.id)"]).field("error") == "invalid_client")
            let pushed = try await push(
                server, nil, ["client_id": "\(client.id)", "client_secret": client.secret])
            #expect(pushed.status == 201, "\(pushed.text)")
            let rows = try await server.texts("select r::text as text from pushed_requests as r")
            let uri = try #require(pushed.field("request_uri"))
            let token = uri.dropFirst("urn:ietf:params:oauth:request_uri:".count)
            #expect(rows.count == 1 && !rows[0].contains(client.secret) && !rows[0].contains(token))
            #expect(try await push(server, nil, ["client_id": "\(server.app.client)"]).status == 201)
        }
    }

    /// Story: whoever knew a public client's id wrote rows of 60 KB, or an event for each bad request, without a limit.
    @Test func `what is pushed is counted before anything is written, like what a browser brings, and told once`()
        async throws
    {
        var settings = AppSettings()
        settings.clientTriesPerQuarterHour = 20
        try await TestServer.running(flows: try await TestFlows.make(settings: settings)) { server in
            let client = "\(server.app.client)"
            for number in 0..<60 {
                let isWrong = number.isMultiple(of: 2)
                let answer = try await push(
                    server, nil, ["client_id": client, "redirect_uri": isWrong ? "https://evil.example/" : Self.uri])
                #expect(answer.status == (isWrong ? 400 : 201), "\(answer.text)")
            }
            let (rows, events) = (try await Self.rows(server), try await server.events().count)
            #expect(rows == 30)

            for _ in 0..<20 {
                let answer = try await push(server, nil, ["client_id": client])
                #expect(answer.status == 429 && answer.field("error") == "temporarily_unavailable", "\(answer.text)")
                #expect(answer.header("Content-Type") == "application/json")
                #expect(answer.header("Retry-After").flatMap { Int($0) } ?? 0 > 0)
                #expect(answer.header("RateLimit-Policy") == "\"authorize\";q=60;w=900")
                #expect(answer.header("Cache-Control") == "no-store")
            }

            #expect(try await Self.rows(server) == 30)
            #expect(try await server.events().dropFirst(events) == ["sign_in.refused rate_limited"])
            let browser = try await server.send("GET", server.authorizePath())
            #expect(browser.status == 429, "it is one budget")
            // A server that has proved itself pushes for all its users, from one address.
            let known = try await server.confidentialClient()
            #expect(try await push(server, known.basic).status == 201)
            server.app.clock.advance(by: .minutes(15))
            #expect(try await push(server, nil, ["client_id": client]).status == 201)
        }
    }

    @Test func `a server that has proved itself is counted by itself`() async throws {
        var settings = AppSettings()
        settings.triesPerQuarterHour = 1000
        let flows = try await TestFlows.make(settings: settings)
        try await TestServer.running(flows: flows) { server in
            let (busy, other) = (try await server.confidentialClient(), try await server.confidentialClient())
            let limit = RateBudget(
                RateLimit("pushed", tries: 1000, per: .minutes(15)), for: "\(busy.id)")
            for _ in 0..<1000 {
                _ = try await server.app.database.batch(in: server.app.scope) { batch in
                    batch.spend(RateBudgets(narrow: [limit]), at: server.app.clock.now)
                }
            }
            #expect(try await push(server, busy.basic).status == 429)
            #expect(try await push(server, other.basic).status == 201)
        }
    }

    @Test func `only parameters that are known are kept, and no long ones`() async throws {
        try await running { server, client in
            let junk = String(repeating: "j", count: 30_000)
            #expect(try await push(server, client.basic, ["junk": junk, "claims": junk]).status == 201)
            let kept = try #require(
                try await server.texts("select parameters as text from pushed_requests").first)
            #expect(!kept.contains("junk") && !kept.contains("jjj") && kept.utf8.count < 1000, "\(kept.prefix(1000))")
            for name in ["login_hint", "id_token_hint", "ui_locales", "scope", "acr_values"] {
                let answer = try await push(server, client.basic, [name: junk])
                #expect(answer.status == 400 && answer.field("error") == "invalid_request", "\(name)")
            }
            #expect(try await Self.rows(server) == 1)
        }
    }

    private static let uri = TestFlows.redirectURI

    private static func rows(_ server: TestServer) async throws -> Int {
        try await server.texts("select 'x' as text from pushed_requests").count
    }

    @Test func `a client that must push gets nothing by an address alone`() async throws {
        try await running { server, client in
            let changed = try await server.admin(
                "PATCH", "\(server.adminAPI)/clients/\(client.id)", key: try await server.apiKey(.admin),
                json: #"{"requires_pushed_requests": true}"#)
            #expect(changed.field("requires_pushed_requests") == "1", "\(changed.text)")
            let browser = TestBrowser(server)
            let plain = try await browser.open(server.authorizePath(["client_id": "\(client.id)"]))
            #expect(plain.parameter("error") == "invalid_request" && plain.parameter("state") == "xyz")
            let uri = try #require(try await push(server, client.basic).field("request_uri"))
            #expect(try await browser.open(path(server, client.id, uri)).location?.contains("/sign-in?") == true)
        }
    }
}

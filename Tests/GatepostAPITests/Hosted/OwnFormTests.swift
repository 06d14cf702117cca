import Curl
import GatepostFlows
import GatepostModel
import TestSupport
import Testing

/// A form is taken only from a page that was shown in the browser that sends it: nobody is signed in, out or up by
/// another site.
@Suite("Forms of our own pages")
struct OwnFormTests {
    private static let right: KeyValuePairs<String, String> = [
        "email": "ada@example.com", "password": TestServer.password,
    ]

    private func cookie(_ server: TestServer, _ token: OneTimeToken) -> String {
        "__Host-gatepost-browser-\(server.app.id)=\(token.secret.revealed)"
    }

    @Test func `a page with a form leaves a cookie, once, and the form carries what belongs to it`() async throws {
        try await TestServer.running { server in
            let browser = TestBrowser(server)
            let first = try await browser.open("\(server.hosted)/sign-in")
            let field = try #require(first.headers(named: "Set-Cookie").first)
            for part in [
                "__Host-gatepost-browser-\(server.app.id)=gbr_", "Secure", "HttpOnly", "SameSite=Lax", "Path=/",
            ] {
                #expect(field.contains(part), "\(field)")
            }
            #expect(!field.contains("Domain"))
            let token = try #require(
                browser.cookie("__Host-gatepost-browser").flatMap { OneTimeToken(.browser, presented: $0) })
            #expect(first.text.contains(#"name="form_token" value="\#(token.formToken)""#))
            #expect(!first.text.contains(token.secret.revealed))

            let second = try await browser.open("\(server.hosted)/sign-up")
            #expect(second.headers(named: "Set-Cookie") == [])
            #expect(second.text.contains(token.formToken))
            let plain = try await server.send("GET", "\(server.hosted)/links/x")
            #expect(plain.headers(named: "Set-Cookie") == [], "a page without a form")
        }
    }

    /// Story: a form with `Origin: null` from a browser without `Sec-Fetch-Site` passed for our own, so that any site
    /// could sign its visitor in as its owner.
    @Test func `login CSRF: no form of any page is taken without the cookie, and the field that belongs to it`()
        async throws
    {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (token, other) = (
                OneTimeToken.make(.browser, random: server.app.random),
                OneTimeToken.make(.browser, random: server.app.random)
            )
            let before = try await server.state()
            let routes = server.routes.filter { $0.hasPrefix("POST /apps/{app}/") && !Self.takesForeign($0) }
            #expect(routes.count >= 12)
            for route in routes {
                let path = String(route.dropFirst(5)).replacing("{app}", with: "\(server.app.id)")
                    .replacing(/\{\w+\}/, with: "x")
                let tries: [(String, KeyValuePairs<String, String>, KeyValuePairs<String, String>)] = [
                    ("no cookie", Self.right, [:]),
                    ("no cookie, a field", ["form_token": token.formToken], [:]),
                    ("a cookie alone", Self.right, ["Cookie": cookie(server, token)]),
                    ("an empty field", ["form_token": ""], ["Cookie": cookie(server, token)]),
                    ("the cookie itself", ["form_token": token.secret.revealed], ["Cookie": cookie(server, token)]),
                    ("another's field", ["form_token": other.formToken], ["Cookie": cookie(server, token)]),
                ]
                for (name, form, headers) in tries {
                    let origin: KeyValuePairs = ["Origin": "null", "Cookie": headers.first?.value ?? "a=b"]
                    let answer = try await server.post(path, form: form, headers: origin)
                    #expect(answer.status == 403, "\(route): \(name): \(answer.status)")
                    #expect(answer.text.contains("does not come from a page of ours"), "\(route): \(name)")
                    #expect(answer.headers(named: "Set-Cookie") == [])
                }
                #expect(try await server.events().last == "request.refused foreign_form")
            }
            #expect(try await server.state() == before)
        }
    }

    /// Clients and providers send browsers there by forms of theirs; neither takes anything but an address from them.
    private static func takesForeign(_ route: String) -> Bool {
        route.contains("/oauth/") || route.hasSuffix("/callback")
    }

    @Test func `a neighbouring host's form brings the cookie along and is refused all the same`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let browser = TestBrowser(server)
            _ = try await browser.open("\(server.hosted)/sign-in")
            let held = try #require(browser.cookie("__Host-gatepost-browser"))
            for origin in ["null", TestFlows.baseURL] {
                let answer = try await server.post(
                    "\(server.hosted)/sign-in", form: Self.right,
                    headers: ["Origin": origin, "Cookie": "__Host-gatepost-browser-\(server.app.id)=\(held)"])
                #expect(answer.status == 403)
            }
            #expect(try await browser.submit("\(server.hosted)/sign-in", Self.right).status == 303)
        }
    }

    /// Story: the JSON routes recorded each of these, the pages none.
    @Test func `a form that is not complete is recorded like the same call of the JSON API`() async throws {
        try await TestServer.running { server in
            let browser = TestBrowser(server)
            for path in ["sign-in", "sign-up"] {
                let forms: [(KeyValuePairs<String, String>, String)] = [
                    ([:], "invalid_request"), (["email": "nobody", "password": "x"], "invalid_email_address"),
                    (["email": "ada@example.com"], "invalid_request"),
                ]
                for (form, code) in forms {
                    #expect(try await browser.submit("\(server.hosted)/\(path)", form).status == 422)
                    #expect(try await server.events().last == "request.refused \(code)", "\(path) \(form)")
                }
            }
            for path in ["sign-in/email", "password-reset"] {
                for (form, code) in [([:], "invalid_request"), (["email": "nobody"], "invalid_email_address")]
                    as [(KeyValuePairs<String, String>, String)]
                {
                    #expect(try await browser.submit("\(server.hosted)/\(path)", form).status == 422)
                    #expect(try await server.events().last == "request.refused \(code)", "\(path) \(form)")
                }
            }
            let begun = try #require(
                try await browser.submit("\(server.hosted)/sign-up", Self.right).location)
            let count = try await server.events().count
            #expect(try await browser.submit(begun, [:]).status == 422)
            #expect(try await Array(server.events().dropFirst(count)) == ["request.refused invalid_request"])
        }
    }

    /// Story: whoever sent browsers there, or a program in a loop, filled the tables without a limit.
    @Test func `what clients ask for is limited by network before anything is written, and told once`() async throws {
        var settings = AppSettings()
        settings.clientTriesPerQuarterHour = 20
        let flows = try await TestFlows.make(settings: settings)
        try await TestServer.running(trustedProxies: ["127.0.0.1"], flows: flows) { server in
            func ask(_ changes: [String: String?] = [:], from network: String = "203.0.113.9") async throws -> Int {
                try await server.send(
                    "GET", server.authorizePath(changes), headers: ["X-Forwarded-For": network]
                ).status
            }
            for number in 0..<60 {
                let isWrong = number.isMultiple(of: 2)
                #expect(try await ask(isWrong ? ["client_id": "web"] : [:]) == (isWrong ? 400 : 303))
            }
            let (requests, events) = (try await Self.requests(server), try await server.events())
            #expect(requests == 30 && events.count == 30)

            for _ in 0..<20 { #expect(try await ask() == 429) }
            for _ in 0..<20 { #expect(try await ask(["client_id": "web"]) == 429) }

            #expect(try await Self.requests(server) == 30)
            #expect(try await server.events().dropFirst(30) == ["sign_in.refused rate_limited"])
            #expect(try await ask(from: "198.51.100.7") == 303, "another network is another's business")
            let page = try await server.send(
                "GET", server.authorizePath(), headers: ["X-Forwarded-For": "203.0.113.9"])
            #expect(page.header("Retry-After").flatMap { Int($0) } ?? 0 > 0 && page.location == nil)
            server.app.clock.advance(by: .minutes(15))
            #expect(try await ask() == 303)
        }
    }

    private static func requests(_ server: TestServer) async throws -> Int {
        try await server.texts("select id::text as text from authorization_requests").count
    }
}

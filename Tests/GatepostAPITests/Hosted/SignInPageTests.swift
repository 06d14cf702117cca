import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Sign-in page")
struct SignInPageTests {
    static let right: KeyValuePairs<String, String> = ["email": "ada@example.com", "password": TestServer.password]

    /// A browser that a client has sent to the page.
    private static func begun(_ server: TestServer, _ changes: [String: String?] = [:]) async throws
        -> (browser: TestBrowser, page: String)
    {
        let browser = TestBrowser(server)
        return (browser, try #require(try await browser.open(server.authorizePath(changes)).location))
    }

    /// Abuse case 13 (CVE-2022-39222 Dex): whoever began the sign-in does not get what another browser's user ends.
    @Test func `a request of another browser gets nowhere`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (attacker, page) = try await Self.begun(server)
            let (victim, _) = try await Self.begun(server)

            for browser in [victim, TestBrowser(server)] {
                #expect(try await browser.open(page).status == 400)
                let answer = try await browser.submit(page, Self.right)
                #expect(answer.status == 400)
                #expect(answer.location == nil)
                #expect(browser.cookie("__Host-gatepost-session") == nil)
            }
            #expect(try await attacker.open(page).status == 200)
            #expect(try await server.events().contains("sign_in.passed") == false)
        }
    }

    @Test func `a request is answered once`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (browser, page) = try await Self.begun(server)
            #expect(try await browser.submit(page, Self.right).status == 303)
            #expect(try await browser.submit(page, Self.right).status == 400)
            #expect(try await browser.open(page).status == 400)
        }
    }

    @Test func `a request is too old after an hour although no job has run`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (browser, page) = try await Self.begun(server)
            server.app.clock.advance(by: .hours(1))
            #expect(try await browser.open(page).status == 400)
            #expect(try await browser.submit(page, Self.right).status == 400)
        }
    }

    @Test func `wrong passwords and unknown addresses look alike, and nothing typed is lost or shown`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (browser, page) = try await Self.begun(server)
            let known = try await browser.submit(
                page, ["email": "ada@example.com", "password": "wrong but long enough"])
            let unknown = try await browser.submit(
                page, ["email": "eve@example.com", "password": "wrong but long enough"])
            #expect(known.status == 422 && unknown.status == 422)
            #expect(known.text.replacing("ada@example.com", with: "eve@example.com") == unknown.text)
            #expect(known.text.contains(#"value="ada@example.com""#))
            #expect(known.text.contains(#"role="alert""#) && known.text.contains("<title>Error: Sign in"))
            #expect(!known.text.contains("wrong but long enough"))
            #expect(try await browser.submit(page, ["password": "x"]).text.contains("Type your email address."))
            #expect(try await browser.submit(page, ["email": "nobody", "password": "x"]).status == 422)
            #expect(try await browser.submit(page, ["email": "a@b.example"]).text.contains("Type your password."))
            #expect(try await browser.submit(page, Self.right).status == 303)
        }
    }

    @Test func `the limit is that of the JSON API, and the page says when to come back`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (browser, page) = try await Self.begun(server)
            for _ in 0..<10 { _ = try await server.signIn(password: "not the password at all") }
            for _ in 0..<10 { _ = try await browser.submit(page, ["email": "ada@example.com", "password": "no"]) }
            let answer = try await browser.submit(page, Self.right)
            #expect(answer.status == 429)
            #expect(answer.header("Retry-After").flatMap { Int($0) } ?? 0 > 0)
            #expect(try await server.signIn().problem == .rateLimited)
        }
    }

    @Test func `a form from another site is refused`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            for headers: KeyValuePairs<String, String> in [
                ["Sec-Fetch-Site": "cross-site"], ["Sec-Fetch-Site": "same-site"], ["Origin": "https://evil.example"],
            ] {
                let answer = try await server.submit("\(server.hosted)/sign-in", form: Self.right, headers: headers)
                #expect(answer.status == 403)
                #expect(answer.headers(named: "Set-Cookie") == [])
            }
        }
    }

    @Test func `cookies are the page's own, and renewed with each sign-in`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (browser, page) = try await Self.begun(server)
            let answer = try await browser.submit(page, Self.right)
            let field = try #require(answer.headers(named: "Set-Cookie").first)
            for part in [
                "__Host-gatepost-session-\(server.app.id)=ghs_", "Secure", "HttpOnly", "SameSite=Lax", "Path=/",
            ] {
                #expect(field.contains(part), "\(field)")
            }
            #expect(!field.contains("Domain"))
            let first = try #require(browser.cookie("__Host-gatepost-session"))

            let again = try #require(try await browser.open(server.authorizePath(["prompt": "login"])).location)
            #expect(try await browser.submit(again, Self.right).status == 303)

            #expect(browser.cookie("__Host-gatepost-session") != first)
            let reasons = try await server.texts(
                "select coalesce(end_reason, 'lives') as text from sessions where client_id is null"
            )
            #expect(reasons.sorted() == ["lives", "replaced"])
            #expect(try await server.events().contains("session.ended replaced"))
        }
    }

    @Test func `another client of the app is answered without asking again`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (browser, page) = try await Self.begun(server)
            _ = try await browser.submit(page, Self.right)
            let client = try await server.anotherClient()

            let answer = try await browser.open(server.authorizePath(["client_id": "\(client)", "prompt": "none"]))

            let code = try #require(answer.parameter("code"))
            #expect(try await server.exchange(code, client: client).status == 200)
            // Who is asked all the same.
            for changes in [["prompt": "login"], ["prompt": "select_account"], ["login_hint": "eve@example.com"]] {
                let asked = try await browser.open(server.authorizePath(changes.mapValues { $0 }))
                #expect(asked.location?.contains("/sign-in?") == true, "\(changes)")
            }
            server.app.clock.advance(by: .seconds(100))
            #expect(try await browser.open(server.authorizePath(["max_age": "99"])).parameter("code") == nil)
            #expect(try await browser.open(server.authorizePath(["max_age": "101"])).parameter("code") != nil)
            // A stranger's browser with the same id is nobody.
            #expect(
                try await TestBrowser(server).open(server.authorizePath(["prompt": "none"])).parameter("code") == nil)
        }
    }

    @Test func `a deactivated user is signed in nowhere, from no cookie`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (browser, page) = try await Self.begun(server)
            _ = try await browser.submit(page, Self.right)
            let (waiting, other) = try await Self.begun(server)
            try await server.tamper(
                "update users set state = 'deactivated', deactivated_at = now() where app_id = \(server.sqlID)")

            #expect(
                try await browser.open(server.authorizePath(["prompt": "none"])).parameter("error") == "login_required")
            let answer = try await waiting.submit(other, Self.right)
            #expect(answer.status == 422)
            #expect(answer.text.contains("deactivated"))
        }
    }

    @Test func `the page speaks the language that is asked for`() async throws {
        try await TestServer.running { server in
            let (browser, page) = try await Self.begun(server, ["ui_locales": "fr de-AT en"])
            let german = try await browser.open(page, accepting: "en")
            #expect(german.text.contains(#"<html lang="de">"#) && german.text.contains("Anmelden"))
            #expect(german.header("Content-Language") == "de")
            let (other, plain) = try await Self.begun(server)
            #expect(try await other.open(plain, accepting: "fr, de;q=0.5, en;q=0.1").text.contains("Anmelden"))
            #expect(try await other.open(plain, accepting: "fr").text.contains("Sign in"))
        }
    }

    @Test func `the address that the client hints at stands in the form, as text`() async throws {
        try await TestServer.running { server in
            let (browser, page) = try await Self.begun(server, ["login_hint": "ada&co@example.com"])
            #expect(try await browser.open(page).text.contains(#"value="ada&amp;co@example.com""#))
            let (other, plain) = try await Self.begun(server, ["login_hint": #""><script>alert(1)</script>"#])
            #expect(try await !other.open(plain).text.contains("script"))
        }
    }
}

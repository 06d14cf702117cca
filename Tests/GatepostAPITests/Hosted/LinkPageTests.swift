import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Link page")
struct LinkPageTests {
    static let newPassword = "a lighthouse above seven cold harbours"

    @Test func `HEAD and three GETs change nothing`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()
            let before = try await server.state()
            let events = try await server.events()

            for method in ["HEAD", "GET", "GET", "GET"] {
                for cookie in ["a=b", begun.cookie] {
                    let answer = try await server.send(method, begun.link, headers: ["Cookie": cookie])
                    #expect(answer.status == 200)
                    #expect(answer.body.isEmpty == (method == "HEAD"))
                }
            }

            #expect(try await server.state() == before)
            #expect(try await server.events() == events)
        }
    }

    @Test func `in the browser that began, one click verifies and keeps the password`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()
            let page = try await server.send("GET", begun.link, headers: ["Cookie": begun.cookie])
            #expect(page.text.contains("Confirm address"))
            #expect(!page.text.contains("type=\"password\""))

            let done = try await server.submit(begun.link, form: [:], headers: ["Cookie": begun.cookie])

            #expect(done.status == 200)
            #expect(done.text.contains("Your address is confirmed"))
            #expect(done.header("Set-Cookie")?.contains("Max-Age=0") == true)
            #expect(try await server.signIn().status == 200)
            #expect(try await server.submit(begun.link, form: [:], headers: ["Cookie": begun.cookie]).status == 410)
        }
    }

    @Test func `elsewhere the owner of the mailbox chooses the password and the prepared one is dead`() async throws {
        try await TestServer.running { server in
            // Eve signs up with Ada's address and a password of her own; Ada opens the mail.
            let begun = try await server.begin("ada@example.com")
            let page = try await server.send("GET", begun.link)
            #expect(page.text.contains("opened on another device"))
            #expect(page.text.contains("type=\"password\""))

            let done = try await server.submit(begun.link, form: ["password": Self.newPassword])

            #expect(done.status == 200)
            #expect(try await server.signIn("ada@example.com").problem == .invalidCredentials)
            #expect(try await server.signIn("ada@example.com", password: Self.newPassword).status == 200)
            #expect(try await server.verify(begun).problem == .invalidFlow)
        }
    }

    @Test func `the cookie of another sign-up is not the one that counts`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin("ada@example.com")
            let other = try await server.begin("eve@example.com")
            let page = try await server.send("GET", begun.link, headers: ["Cookie": other.cookie])
            #expect(page.text.contains("type=\"password\""))

            let posted = try await server.submit(begun.link, form: [:], headers: ["Cookie": other.cookie])

            #expect(posted.text.contains("type=\"password\""))
            #expect(try await server.signIn("ada@example.com").problem == .invalidCredentials)
        }
    }

    @Test func `a weak password is explained and uses nothing up`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()

            let weak = try await server.submit(begun.link, form: ["password": "short"])
            #expect(weak.status == 422)
            #expect(weak.text.contains("Use at least 15 characters"))
            #expect(weak.text.contains(#"role="alert""#))
            #expect(!weak.text.contains("short\""))
            #expect(try await server.submit(begun.link, form: ["password": Self.newPassword]).status == 200)
        }
    }

    @Test func `a form without a password or a cookie changes nothing`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()
            let before = try await server.state()

            let answer = try await server.submit(begun.link, form: [:])

            #expect(answer.status == 400)
            #expect(answer.header("Content-Type") == "text/html; charset=utf-8")
            #expect(try await server.state() == before)
        }
    }

    @Test func `sixteen racing clicks verify once`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()
            let answers = try await race(16) {
                try await server.submit(begun.link, form: [:], headers: ["Cookie": begun.cookie]).status
            }
            #expect(answers.count { $0 == 200 } == 1)
            #expect(answers.count { $0 == 410 } == 15)
            #expect(try await server.events().count { $0 == "user.verified" } == 1)
        }
    }

    @Test(arguments: ["glk_short", "glk_" + String(repeating: "A", count: 43), "x", "..%2F..%2Fme"])
    func `a link that was never sent is gone`(_ token: String) async throws {
        try await TestServer.running { server in
            let answer = try await server.send("GET", "\(server.hosted)/links/\(token)")
            #expect(answer.status == 410)
            #expect(answer.text.contains("This link no longer works"))
        }
    }

    @Test func `a link of one app is nothing in another`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()
            let other = try await server.otherApp()
            let foreign = begun.link.replacing("\(server.app.id)", with: "\(other.id)")
            #expect(try await server.send("GET", foreign).status == 410)
        }
    }

    @Test func `a form from another site is refused`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()
            let before = try await server.state()
            let foreign: [KeyValuePairs<String, String>] = [
                ["Cookie": begun.cookie, "Sec-Fetch-Site": "cross-site"],
                ["Cookie": begun.cookie, "Sec-Fetch-Site": "same-site", "Origin": TestFlows.baseURL],
                ["Cookie": begun.cookie, "Origin": "https://evil.example"],
                ["Cookie": begun.cookie, "Origin": TestFlows.baseURL + ".evil.example"],
            ]
            for headers in foreign {
                #expect(try await server.submit(begun.link, form: [:], headers: headers).status == 403)
            }
            #expect(try await server.state() == before)

            // What a browser sends for a form of a page whose referrer policy is no-referrer.
            let own = try await server.submit(
                begun.link, form: [:],
                headers: ["Cookie": begun.cookie, "Sec-Fetch-Site": "same-origin", "Origin": "null"])
            #expect(own.status == 200)
        }
    }

    @Test func `pages load nothing, run nothing and are framed by nobody`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()
            for path in [begun.link, "\(server.hosted)/links/x", "/apps/app_nobody/links/x"] {
                let page = try await server.send("GET", path)
                let policy = try #require(page.header("Content-Security-Policy"))
                for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
                    #expect(policy.contains(part))
                }
                #expect(policy.contains("style-src 'sha256-"))
                #expect(page.header("Content-Type") == "text/html; charset=utf-8")
                #expect(page.header("Referrer-Policy") == "no-referrer")
                #expect(page.header("X-Content-Type-Options") == "nosniff")
                #expect(page.header("Cross-Origin-Opener-Policy") == "same-origin")
                #expect(page.header("Cache-Control") == "no-store")
                #expect(page.header("Strict-Transport-Security") == "max-age=31536000")
                #expect(!page.text.contains("<script"))
            }
        }
    }

    @Test func `what an app is called is text on a page`() async throws {
        try await TestServer.running { server in
            try await server.tamper(
                "update apps set name = '<script>alert(1)</script> & \"Co\"' where id = \(server.sqlID)")
            let page = try await server.send("GET", "\(server.hosted)/links/x")
            #expect(page.text.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;Co&quot;"))
            #expect(!page.text.contains("<script"))
        }
    }

    @Test func `without HTTPS nobody is told to insist on it`() async throws {
        try await TestServer.running(baseURL: "http://localhost:8080") { server in
            let answer = try await server.send("GET", "/health/live")
            #expect(answer.header("Strict-Transport-Security") == nil)
        }
    }
}

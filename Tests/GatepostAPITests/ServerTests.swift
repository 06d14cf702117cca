import Curl
import GatepostAPI
import GatepostModel
import TestSupport
import Testing

@Suite("Server")
struct ServerTests {
    @Test func `it is live, and ready while the database answers`() async throws {
        try await TestServer.running { server in
            let live = try await server.send("GET", "/health/live")
            let ready = try await server.send("GET", "/health/ready")
            let head = try await server.send("HEAD", "/health/ready")
            #expect(live.field("status") == "live")
            #expect(ready.field("status") == "ready")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }
    }

    @Test(.ownDatabase) func `without a database it is live and not ready`() async throws {
        try await TestServer.running(deadline: .seconds(1)) { server in
            try await TestDatabase.current.whileDown {
                let live = try await server.send("GET", "/health/live")
                let ready = try await server.send("GET", "/health/ready")
                #expect(live.status == 200)
                #expect(ready.problem == .unavailable)
            }
        }
    }

    @Test func `a line for each request says the route and no secret`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()
            _ = try await server.send("GET", begun.link, headers: ["Cookie": begun.cookie])
            _ = try await server.submit(begun.link, form: [:], headers: ["Cookie": begun.cookie])
            let tokens = try await server.session()
            _ = try await server.me(tokens.access)
            _ = try await server.refresh(tokens.refresh)
            _ = try await server.send("GET", "\(server.hosted)/links/glk_x?token=secret-in-a-query")

            let lines = server.logs.all.filter { $0.contains("info request ") }
            #expect(lines.contains { $0.contains("request.route=/apps/{app}/links/{token} ") })
            #expect(lines.allSatisfy { $0.contains("app.id=\(server.app.id) ") && $0.contains("request.id=") })
            #expect(lines.allSatisfy { $0.contains("response.status=") && $0.contains("duration_us=") })
            let all = server.logs.all.joined(separator: "\n")
            let link = String(begun.link.split(separator: "/").last ?? "")
            for secret in [
                begun.token, begun.code, link, tokens.access, tokens.refresh, TestServer.password, "secret-in-a-query",
                "ada@example.com",
            ] {
                #expect(!all.contains(secret))
            }
        }
    }

    static let mail = DevMail(
        id: "m1", from: "Lighthouse <no-reply@example.com>", to: ["ada@example.com"], subject: "Confirm <you>",
        date: TestClock.start, text: "Open https://auth.example.test/apps/a/links/b?c=d&e=f to go on.\nBye <b>",
        html: "<p style=\"color:red\">Hello</p>", raw: "Subject: Confirm <you>\r\n\r\nOpen")

    @Test func `the development pages show the mails that were caught`() async throws {
        try await TestServer.running(devMails: DevMails { [Self.mail] }) { server in
            let list = try await server.send("GET", "/dev/mails")
            #expect(list.status == 200)
            #expect(list.text.contains("Confirm &lt;you&gt;"))
            #expect(list.text.contains(#"href="/dev/mails/m1""#))

            let page = try await server.send("GET", "/dev/mails/m1")
            #expect(page.text.contains(#"<a href="https://auth.example.test/apps/a/links/b?c=d&amp;e=f""#))
            #expect(page.text.contains("Bye &lt;b&gt;"))
            #expect(page.text.contains(#"&gt;&lt;p style=&quot;color:red&quot;&gt;Hello"#))
            #expect(page.text.contains("sandbox=\"allow-popups"))
            #expect(try await server.send("GET", "/dev/mails/m2").problem == .notFound)
        }
    }

    @Test func `without a mail catcher the development pages do not exist`() async throws {
        try await TestServer.running { server in
            let answer = try await server.send("GET", "/dev/mails")
            #expect(answer.problem == .notFound)
            #expect(!server.routes.contains { $0.contains("/dev/") })
        }
    }
}

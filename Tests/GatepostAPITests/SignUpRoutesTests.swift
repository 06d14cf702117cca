import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Sign-up over HTTP")
struct SignUpRoutesTests {
    @Test func `a sign-up is accepted, owes one mail and binds the browser that began it`() async throws {
        try await TestServer.running { server in
            let answer = try await server.post(
                "\(server.api)/sign-ups", ["email": "Ada@Example.com", "password": TestServer.password])

            #expect(answer.status == 202)
            #expect(answer.field("flow")?.hasPrefix("flw_") == true)
            #expect(answer.field("expires_at") == "\(server.app.clock.now + Lifetimes.verification)")
            #expect(answer.header("Cache-Control") == "no-store")
            let cookie = try #require(answer.headers(named: "Set-Cookie").first).split(separator: "; ").map(String.init)
            let token = try #require(answer.field("flow_token"))
            #expect(cookie.first == "__Host-gatepost-\(server.app.id)=\(token)")
            #expect(Set(cookie.dropFirst()) == ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=86400"])
            #expect(try await server.texts("select kind as text from outbox") == ["mail.verification"])
        }
    }

    @Test func `a known and an unknown address get the same answer`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser("ada@example.com")
            let fields = ["email": "ada@example.com", "password": TestServer.password]
            let known = try await server.post("\(server.api)/sign-ups", fields)
            let unknown = try await server.post(
                "\(server.api)/sign-ups", ["email": "eve@example.com", "password": TestServer.password])

            #expect(known.status == unknown.status)
            #expect(known.text.utf8.count == unknown.text.utf8.count)
            #expect(known.headers.map(\.name) == unknown.headers.map(\.name))
        }
    }

    @Test func `the typed code verifies, once`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()

            let first = try await server.verify(begun)
            #expect(first.status == 200)
            #expect(first.field("user")?.hasPrefix("usr_") == true)
            #expect(first.text.contains(#""email_verified":true"#))
            #expect(try await server.verify(begun).problem == .invalidFlow)
        }
    }

    @Test func `five wrong codes end the flow, and then the right one comes too late`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()
            for _ in 0..<5 { #expect(try await server.verify(begun, code: "00000000").problem == .invalidCode) }

            #expect(try await server.verify(begun).problem == .codeAttemptsExhausted)
            #expect(try await server.send("GET", begun.link).status == 410)
        }
    }

    @Test func `a code is worth nothing without the token of whoever began`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()
            let other = try await server.begin("eve@example.com")

            let stolen = try await server.post(
                "\(server.api)/sign-ups/verify",
                ["flow": "\(begun.flow)", "flow_token": other.token, "code": begun.code])

            #expect(stolen.problem == .invalidFlow)
            #expect(try await server.verify(begun).status == 200)
        }
    }

    @Test func `a code is refused after a day although no job has run`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()
            server.app.clock.advance(by: Lifetimes.verification)

            #expect(try await server.verify(begun).problem == .invalidFlow)
            #expect(try await server.send("GET", begun.link).status == 410)
        }
    }

    @Test func `a resend owes the mail of the same flow, so with the same secrets`() async throws {
        try await TestServer.running { server in
            let begun = try await server.begin()
            let answer = try await server.post(
                "\(server.api)/sign-ups/resend", ["flow": "\(begun.flow)", "flow_token": begun.token])

            #expect(answer.status == 202)
            #expect(answer.text == "{}")
            let flows = try await server.texts("select distinct flow_id::text as text from outbox")
            #expect(flows.count == 1)
            #expect(try await server.send("GET", begun.link).status == 200)
            #expect(try await server.verify(begun).status == 200)
        }
    }

    @Test func `a newer sign-up replaces the one before it`() async throws {
        try await TestServer.running { server in
            let first = try await server.begin()
            let second = try await server.begin()

            #expect(try await server.send("GET", first.link).status == 410)
            #expect(try await server.verify(first).problem == .invalidFlow)
            #expect(try await server.verify(second).status == 200)
        }
    }

    @Test(arguments: ["Host", "X-Forwarded-Host", "Forwarded", "X-Forwarded-Proto", "X-Host"])
    func `a forged host changes no address`(_ name: String) async throws {
        try await TestServer.running { server in
            let value = name == "Forwarded" ? "host=evil.example" : "evil.example"
            let body = #"{"email":"ada@example.com","password":"\#(TestServer.password)"}"#
            let begun = try await server.post("\(server.api)/sign-ups", json: body, headers: [name: value])
            #expect(begun.status == 202)
            let stored = try await server.state().joined()
            #expect(!stored.contains("evil.example"))

            let discovery = try await server.send(
                "GET", "\(server.hosted)/.well-known/openid-configuration", headers: [name: value])
            #expect(discovery.field("issuer") == "\(TestFlows.baseURL)\(server.hosted)")
            #expect(!discovery.text.contains("evil.example"))
        }
    }
}

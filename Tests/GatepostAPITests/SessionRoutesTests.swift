import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Sessions over HTTP")
struct SessionRoutesTests {
    private func withSession(_ body: (TestServer, TestServer.Tokens) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await body(server, try await server.session())
        }
    }

    @Test func `a user can ask who they are`() async throws {
        try await withSession { server, tokens in
            let me = try await server.me(tokens.access)

            #expect(me.status == 200)
            #expect(me.field("user.id")?.hasPrefix("usr_") == true)
            #expect(me.field("user.email") == "ada@example.com")
            #expect(me.field("user.email_verified_at") == "\(server.app.clock.now)")
            #expect(me.field("user.created_at") == "\(server.app.clock.now)")
            #expect(me.field("session.id")?.hasPrefix("ses_") == true)
            #expect(me.field("session.client_id") == "\(server.app.client)")
            #expect(me.field("session.authenticated_at") == "\(server.app.clock.now)")
            #expect(me.field("session.expires_at") == "\(server.app.clock.now + .days(90))")
        }
    }

    @Test func `a token of one app is nothing in another`() async throws {
        try await withSession { server, tokens in
            let other = try await server.otherApp()
            for (method, path) in [("GET", "me"), ("DELETE", "sessions/current"), ("DELETE", "sessions")] {
                let answer = try await server.send(
                    method, "/v1/apps/\(other.id)/\(path)", headers: ["Authorization": "Bearer \(tokens.access)"])
                #expect(answer.problem == .invalidAccessToken)
            }
            #expect(try await server.me(tokens.access).status == 200)
        }
    }

    @Test func `an access token ends after its ten minutes`() async throws {
        try await withSession { server, tokens in
            server.app.clock.advance(by: .seconds(599))
            let inTime = try await server.me(tokens.access)
            server.app.clock.advance(by: .seconds(1))
            let tooLate = try await server.me(tokens.access)
            #expect(inTime.status == 200)
            #expect(tooLate.problem == .invalidAccessToken)
        }
    }

    @Test func `signing out here ends this session and no other`() async throws {
        try await withSession { server, here in
            let there = try await server.session()
            let answer = try await server.send(
                "DELETE", "\(server.api)/sessions/current", headers: ["Authorization": "Bearer \(here.access)"])

            #expect(answer.status == 204)
            #expect(try await server.me(here.access).problem == .sessionEnded)
            #expect(try await server.refresh(here.refresh).field("error") == "invalid_grant")
            #expect(try await server.me(there.access).status == 200)
        }
    }

    @Test func `signing out everywhere ends every session and a sign-in that is half done`() async throws {
        try await withSession { server, here in
            let there = try await server.session()
            let code = try #require(try await server.signIn().field("code"))
            let answer = try await server.send(
                "DELETE", "\(server.api)/sessions", headers: ["Authorization": "bearer \(here.access)"])

            #expect(answer.status == 204)
            for tokens in [here, there] {
                #expect(try await server.me(tokens.access).problem == .sessionEnded)
                #expect(try await server.refresh(tokens.refresh).field("error") == "invalid_grant")
            }
            #expect(try await server.exchange(code).field("error") == "invalid_grant")
        }
    }

    @Test func `a token changed in any part is refused, and a refused write is recorded`() async throws {
        try await withSession { server, tokens in
            let parts = tokens.access.split(separator: ".").map(String.init)
            let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0"
            let forged = [
                "\(none).\(parts[1]).", "\(none).\(parts[1]).\(parts[2])", "\(parts[0]).\(parts[1])",
                "\(parts[0]).\(parts[1]).\(parts[2])A", "\(parts[0]).\(parts[1])=.\(parts[2])", tokens.refresh, "",
                String(repeating: "a", count: 8000),
            ]
            for token in forged {
                let answer = try await server.send(
                    "DELETE", "\(server.api)/sessions", headers: ["Authorization": "Bearer \(token)"])
                #expect(answer.problem == .invalidAccessToken, "\(token)")
            }
            #expect(try await server.events().count { $0 == "request.refused invalid_access_token" } == forged.count)
            let twice = try await server.send(
                "GET", "\(server.api)/me",
                headers: ["Authorization": "Bearer \(tokens.access)", "Authorization": "Bearer x"])
            #expect(twice.problem == .invalidAccessToken)
        }
    }
}

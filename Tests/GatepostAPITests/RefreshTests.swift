import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Token endpoint: refresh tokens")
struct RefreshTests {
    private typealias Tokens = TestServer.Tokens

    private func withSession(_ body: (TestServer, TestServer.Tokens) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await body(server, try await server.session())
        }
    }

    @Test func `tokens rotate`() async throws {
        try await withSession { server, first in
            let second = try Tokens(try await server.refresh(first.refresh))
            #expect(second.refresh != first.refresh)
            let third = try Tokens(try await server.refresh(second.refresh))
            #expect(try await server.me(third.access).status == 200)
        }
    }

    @Test func `a repeat within the grace window gives the same successor`() async throws {
        try await withSession { server, first in
            let answered = try Tokens(try await server.refresh(first.refresh))
            server.app.clock.advance(by: .seconds(20))

            let repeated = try Tokens(try await server.refresh(first.refresh))

            #expect(repeated.refresh == answered.refresh)
            #expect(try await server.refresh(repeated.refresh).status == 200)
        }
    }

    @Test func `thirty-two racing refreshes give one successor`() async throws {
        try await withSession { server, first in
            let successors = try await race(32) { try Tokens(try await server.refresh(first.refresh)).refresh }
            #expect(Set(successors).count == 1)
            #expect(try await server.texts("select 'x' as text from refresh_tokens").count == 2)
        }
    }

    @Test func `a repeat after the grace window ends the family`() async throws {
        try await withSession { server, first in
            let second = try Tokens(try await server.refresh(first.refresh))
            server.app.clock.advance(by: .seconds(31))

            #expect(try await server.refresh(first.refresh).field("error") == "invalid_grant")

            #expect(try await server.refresh(second.refresh).field("error") == "invalid_grant")
            #expect(try await server.me(second.access).problem == .sessionEnded)
            #expect(try await server.events().contains("token.refused refresh_reused"))
        }
    }

    @Test func `a repeat within the window ends the family once the successor was used`() async throws {
        try await withSession { server, first in
            let second = try Tokens(try await server.refresh(first.refresh))
            let third = try Tokens(try await server.refresh(second.refresh))

            #expect(try await server.refresh(first.refresh).field("error") == "invalid_grant")
            #expect(try await server.refresh(third.refresh).field("error") == "invalid_grant")
        }
    }

    @Test func `another client gets nothing and spoils nothing`() async throws {
        try await withSession { server, first in
            let other = try await server.anotherClient()
            #expect(try await server.refresh(first.refresh, client: other).field("error") == "invalid_grant")
            #expect(try await server.refresh(first.refresh).status == 200)
        }
    }

    @Test func `an idle token is refused after thirty days although no job has run`() async throws {
        try await withSession { server, first in
            server.app.clock.advance(by: .days(30))
            let answer = try await server.refresh(first.refresh)
            #expect(answer.field("error") == "invalid_grant")
        }
    }
}

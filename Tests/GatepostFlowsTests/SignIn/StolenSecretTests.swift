import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// What somebody who found a used secret can do with it.
@Suite("Stolen secrets", .showsSeed)
struct StolenSecretTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    /// Any presentation of a used code once ended its session: whoever found one in a log could sign its user out.
    @Test func `a used code without its client, redirect URI or verifier ends nothing`() async throws {
        let test = try await TestFlows.make()
        _ = try await test.verifiedUser(ada)
        let code = try await test.signIn(ada)
        let answer = try #require(try await test.exchange(code))

        let wrong = "another-verifier-of-forty-three-characters-01"
        #expect(try await test.exchange(code, verifier: wrong) == nil)
        #expect(try await test.exchange(code, redirectURI: "x") == nil)
        #expect(try await test.exchange(code, client: test.app.newID()) == nil)
        #expect(try await test.session(answer) != nil)

        #expect(try await test.exchange(code) == nil)
        #expect(try await test.session(answer) == nil)
    }

    /// Sealed successors once stayed for good: with a copy of the database any used token of a family opened the next,
    /// and that one the next, down to the one that was alive.
    @Test func `a successor that was exchanged is sealed nowhere any more`() async throws {
        let test = try await TestFlows.make()
        _ = try await test.verifiedUser(ada)
        var token = try await test.tokens(ada).refreshToken
        for _ in 0..<4 { token = try #require(try await test.refresh(token)).refreshToken }

        let sealed = try await test.read(
            "select generation, successor_sealed is not null as is_kept from refresh_tokens order by generation"
        ) { row in try row.get("is_kept", as: Bool.self) }

        #expect(sealed == [false, false, false, true, false])
    }
}

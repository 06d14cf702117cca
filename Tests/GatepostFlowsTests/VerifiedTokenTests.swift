import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// A token that was verified a moment ago is remembered, and is taken no longer and by nobody else for that.
@Suite("Session: remembered tokens", .showsSeed)
struct VerifiedTokenTests {
    let test: TestFlows
    let token: String

    init() async throws {
        test = try await TestFlows.make()
        let ada = try EmailAddress.of("ada@example.com")
        try await test.verifiedUser(ada)
        token = try await test.tokens(ada).accessToken.revealed
        for _ in 0..<2 { #expect(try await isTaken(token)) }
    }

    private func isTaken(_ token: String, by test: TestFlows? = nil) async throws -> Bool {
        let test = test ?? self.test
        return try await test.keys.verifier.verify(token, in: test.scope, at: test.clock.now) != nil
    }

    @Test func `it expires`() async throws {
        test.clock.advance(by: AppSettings().accessTokenLife - .seconds(1))
        #expect(try await isTaken(token))
        test.clock.advance(by: .seconds(1))
        #expect(try await !isTaken(token))
    }

    @Test func `it goes with the key that was withdrawn`() async throws {
        _ = try await test.database.batch(in: test.scope) { $0.deleteSigningKey(test.signingKeyID) }
        #expect(try await isTaken(token), "the keys of a moment ago")
        test.clock.advance(by: KeyCache.life)
        #expect(try await !isTaken(token))
    }

    @Test func `it stays while its key does, in the next reading of the keys`() async throws {
        test.clock.advance(by: KeyCache.life)
        for _ in 0..<2 { #expect(try await isTaken(token)) }
    }

    @Test func `it is no other app's`() async throws {
        let other = try await TestFlows.make(clock: test.clock)
        #expect(try await !isTaken(token, by: other))
        // Both apps in one process: one memory.
        #expect(try await test.keys.verifier.verify(token, in: other.scope, at: test.clock.now) == nil)
        #expect(try await isTaken(token))
    }

    /// Texts that differ may count as equal: the Kelvin sign and K.
    @Test func `it is taken byte for byte`() async throws {
        for (ascii, other) in [("K", "\u{212A}"), ("A", "A\u{34F}")] where token.contains(ascii) {
            let like = token.replacing(ascii, with: other)
            #expect(try await !isTaken(like))
        }
        #expect(try await !isTaken(String(token.dropLast())))
    }
}

extension KeyCache {
    /// What verifies by these keys.
    fileprivate var verifier: TokenVerifier { TokenVerifier(cache: self, baseURL: TestFlows.baseURL) }
}

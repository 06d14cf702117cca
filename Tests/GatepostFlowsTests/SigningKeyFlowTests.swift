import Crypto
import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// A key's life: published before it signs, published until the last token it signed has expired.
@Suite("Signing keys", .showsSeed)
struct SigningKeyFlowTests {
    let test: TestFlows
    let ada: EmailAddress

    init() async throws {
        test = try await TestFlows.make()
        ada = try .of("ada@example.com")
    }

    /// Makes the key that will follow, as the worker does.
    private func makeNext() async throws {
        let flow = SigningKeyFlow(clock: test.clock, random: test.app.random, keys: test.app.keys)
        let key = try await flow.make(.es256, in: test.scope)
        try await test.database.transaction(in: test.scope) { try await flow.announce(key, in: $0) }
    }

    /// Takes the next key into use, as the job does.
    private func activateNext() async throws {
        try await test.database.batch(in: test.scope) { batch in
            batch.add(
                "update signing_keys set state = 'retired', retired_at = \(test.clock.now) where state = 'active'")
            batch.add("update signing_keys set state = 'active', activated_at = \(test.clock.now) where state = 'next'")
        }
    }

    /// The ids that a node publishes.
    private func published(by node: TestFlows) async throws -> [String] {
        struct KeySet: Decodable {
            struct Key: Decodable { let kid: String }
            let keys: [Key]
        }
        let json = try await node.keys.keys(of: node.scope).jwks
        return try JSONDecoder().decode(KeySet.self, from: Data(json)).keys.map(\.kid)
    }

    /// The id in a token's header.
    private func keyID(of answer: TokenAnswer) throws -> String? {
        let header = try #require(answer.accessToken.revealed.split(separator: ".").first)
        let bytes = try #require(Base64URL.decode(Array(header.utf8)))
        return try (JSONSerialization.jsonObject(with: Data(bytes)) as? [String: String])?["kid"]
    }

    @Test func `the next key is published and does not sign`() async throws {
        try await makeNext()
        try await test.verifiedUser(ada)

        let answer = try await test.tokens(ada)

        let ids = try await published(by: test)
        #expect(ids.count == 2 && Set(ids).count == 2)
        #expect(ids.contains("\(test.signingKeyID)"))
        #expect(try keyID(of: answer) == "\(test.signingKeyID)")
        let event = try #require(try await test.events().first { $0.kind == "signing_key.created" })
        #expect(event.actor == "worker")
    }

    @Test func `while one key waits no second is made, however many ask`() async throws {
        _ = try await race(8) { try await makeNext() }

        let states = try await test.read("select state from signing_keys order by state") {
            try $0.get("state", as: String.self)
        }
        #expect(states == ["active", "next"])
        #expect(try await test.events().count { $0.kind == "signing_key.created" } == 1)
    }

    @Test func `nothing of a new key is made unless the caller's transaction commits`() async throws {
        struct Failed: Error {}
        let flow = SigningKeyFlow(clock: test.clock, random: test.app.random, keys: test.app.keys)
        let key = try await flow.make(.es256, in: test.scope)
        let before = try await test.rows()

        await #expect(throws: Failed.self) {
            try await test.database.transaction(in: test.scope) { transaction -> Void in
                try await flow.announce(key, in: transaction)
                throw Failed()
            }
        }

        #expect(try await test.rows() == before)
    }

    @Test func `the set holds public members only`() async throws {
        let json = try await test.keys.keys(of: test.scope).jwks
        let set = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: [[String: String]]])
        let key = try #require(set["keys"]?.first)

        #expect(Set(key.keys) == ["kty", "crv", "use", "alg", "kid", "x", "y"])
        let point = try [key["x"], key["y"]].flatMap { try #require(Base64URL.decode(Array(($0 ?? "").utf8))) }
        #expect(point == Array(test.signingKey.publicKey.rawRepresentation))
    }

    @Test func `a rotation refuses no token: neither the old ones nor, on a node that has not noticed, the new`()
        async throws
    {
        try await test.verifiedUser(ada)
        try await makeNext()
        test.clock.advance(by: .hours(1))
        let unaware = test.restarted()
        let old = try await test.tokens(ada)
        // Both nodes remember the keys from before the rotation.
        #expect(try await unaware.session(old) != nil)

        try await activateNext()
        let aware = test.restarted()
        let new = try await aware.tokens(ada)

        #expect(try keyID(of: new) != keyID(of: old))
        #expect(try await unaware.session(new) != nil)
        #expect(try await aware.session(old) != nil)
        test.clock.advance(by: KeyCache.life)
        #expect(try keyID(of: try await unaware.tokens(ada)) == keyID(of: new))
        #expect(try await unaware.session(old) != nil)
        #expect(try await published(by: unaware).count == 2)
    }

    @Test func `a key that was removed is unknown once the memory's life is over, and not before`() async throws {
        try await test.verifiedUser(ada)
        let answer = try await test.tokens(ada)
        try await test.write("delete from signing_keys")

        test.clock.advance(by: KeyCache.life - .microseconds(1))
        #expect(try await test.session(answer) != nil)
        test.clock.advance(by: .microseconds(1))
        #expect(try await test.session(answer) == nil)
    }

    @Test func `a clock that is set back does not lengthen the memory`() async throws {
        try await test.verifiedUser(ada)
        test.clock.advance(by: .hours(1))
        let answer = try await test.tokens(ada)
        try await test.write("delete from signing_keys")

        test.clock.set(TestClock.start + .minutes(59))

        #expect(try await published(by: test) == [])
        #expect(try await test.session(answer) == nil)
    }

    @Test func `without an active key nothing is signed`() async throws {
        try await test.verifiedUser(ada)
        let code = try await test.signIn(ada)
        try await test.write(
            "update signing_keys set state = 'retired', retired_at = \(test.clock.now) where state = 'active'")

        await #expect(throws: NoActiveSigningKey.self) { try await test.restarted().exchange(code) }
    }

    @Test func `a private key that was copied from another row does not open`() async throws {
        let other = try await TestFlows.make()
        let stolen = try await other.read("select private_sealed from signing_keys") {
            try $0.get("private_sealed", as: [UInt8].self)
        }
        try await test.write("update signing_keys set private_sealed = \(try #require(stolen.first))")

        await #expect(throws: SealBroken.self) { try await test.restarted().keys.keys(of: test.scope) }
    }

    @Test func `a revoked key's tokens are refused, a new one signs at once, and the trail says so`() async throws {
        try await test.verifiedUser(ada)
        let stolen = try await test.tokens(ada)
        let flow = SigningKeyFlow(clock: test.clock, random: test.app.random, keys: test.app.keys)

        #expect(try await flow.revoke(test.signingKeyID, on: test.database, in: test.scope))
        #expect(try await !flow.revoke(test.signingKeyID, on: test.database, in: test.scope))

        test.clock.advance(by: KeyCache.life)
        let outcome = try await test.flows.session.session(
            ofAccessToken: stolen.accessToken.revealed, in: test.scope)
        guard case .refused(let refusal) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(refusal.code == .invalidAccessToken)
        #expect(try await !published(by: test).contains("\(test.signingKeyID)"))
        #expect(try await keyID(of: test.tokens(ada)) != "\(test.signingKeyID)")
        let kinds = try await test.events().map(\.kind).filter { $0.hasPrefix("signing_key") }
        // Both of one moment.
        #expect(kinds.sorted() == ["signing_key.activated", "signing_key.revoked"])
    }
}

import Crypto
import Foundation
import GatepostClient
import Testing

/// When keys are fetched: rotation without a gap, revocation in time, and no storm of requests.
@Suite("GatepostClient: keys", .timeLimit(.minutes(2)))
struct KeyCacheTests {
    let clock = ManualClock()
    let issuer: TestIssuer
    let verifier: AccessTokenVerifier

    init() throws {
        issuer = TestIssuer(clock)
        verifier = try issuer.verifier()
    }

    /// Verifies so many tokens at once; returns how many were taken, refused, and put off.
    private func verifyAtOnce(
        _ tokens: [String]
    ) async -> (taken: Int, refused: Int, putOff: Int) {
        await withTaskGroup(of: Int.self) { group in
            for token in tokens {
                group.addTask { [verifier] in
                    do {
                        _ = try await verifier.verify(token)
                        return 0
                    } catch {
                        return error is TokenRefusal ? 1 : 2
                    }
                }
            }
            return await group.reduce(into: (0, 0, 0)) { sums, kind in
                switch kind {
                case 0: sums.0 += 1
                case 1: sums.1 += 1
                default: sums.2 += 1
                }
            }
        }
    }

    @Test func `a thousand tokens at once cause one request`() async throws {
        let token = try issuer.token()
        let sums = await verifyAtOnce(Array(repeating: token, count: 1000))

        #expect(sums == (1000, 0, 0))
        #expect(issuer.fetchCount == 1)
    }

    @Test func `keys are kept for five minutes and no longer`() async throws {
        let token = try issuer.token()
        #expect(try await verifier.refusal(of: token) == nil)
        issuer.change { $0.keys = [:] }
        clock.advance(by: .seconds(239))
        #expect(try await verifier.refusal(of: token) == nil)
        #expect(issuer.fetchCount == 1)
        clock.advance(by: .seconds(61))
        #expect(try await verifier.refusal(of: token) == .unknownKey("key_1"))
        #expect(issuer.fetchCount == 2)
    }

    @Test func `before they are too old they are fetched anew while nobody waits`() async throws {
        let token = try issuer.token()
        _ = try await verifier.verify(token)
        issuer.change { $0.isHeld = true }
        clock.advance(by: .seconds(240))
        // The answer is held back: what does not wait for it returns.
        _ = try await verifier.verify(token)
        _ = try await verifier.verify(token)
        issuer.release()
        while issuer.fetchCount < 2 { await Task.yield() }
        // The first ones are too old by now: those that have come serve.
        clock.advance(by: .seconds(100))
        _ = try await verifier.verify(token)
        #expect(issuer.fetchCount == 2)
    }

    @Test func `a rotation leaves no gap`() async throws {
        let old = try issuer.token()
        _ = try await verifier.verify(old)
        // Published an hour before it signs: whoever keeps keys for five minutes has it by then.
        issuer.addKey("key_2")
        for _ in 0..<20 {
            clock.advance(by: .seconds(180))
            #expect(try await verifier.refusal(of: issuer.token()) == nil)
        }
        let count = issuer.fetchCount
        #expect(try await verifier.refusal(of: issuer.token(key: "key_2")) == nil)
        #expect(issuer.fetchCount == count)
        let last = try issuer.token()
        clock.advance(by: .seconds(180))
        #expect(try await verifier.refusal(of: last) == nil)
    }

    @Test func `a key that signs unannounced, after a revocation, is asked for at once`() async throws {
        let revoked = try issuer.token()
        _ = try await verifier.verify(revoked)
        clock.advance(by: .seconds(10))
        issuer.change { $0.keys = [:] }
        issuer.addKey("key_2")

        #expect(try await verifier.refusal(of: issuer.token(key: "key_2")) == nil)
        #expect(issuer.fetchCount == 2)
        // Nobody waits for a key that was there and is gone.
        #expect(try await verifier.refusal(of: revoked) == .unknownKey("key_1"))
        #expect(issuer.fetchCount == 2)
    }

    @Test func `a new key that one of Gatepost's servers does not know yet is not taken for a revoked one`()
        async throws
    {
        _ = try await verifier.verify(issuer.token())
        clock.advance(by: .seconds(10))
        issuer.addKey("key_2")
        let token = try issuer.token(key: "key_2")
        #expect(try await verifier.refusal(of: token) == nil)
        let key = issuer.key("key_2")
        issuer.change { $0.keys["key_2"] = nil }
        clock.advance(by: .seconds(2))
        // Makes the verifier ask, and hear of the server that is behind.
        async let other = verifier.refusal(of: try issuer.token(key: "key_3"))
        await clock.waitForSleepers(1)
        async let refusal = verifier.refusal(of: token)
        await clock.waitForSleepers(2)
        issuer.change { $0.keys["key_2"] = key }
        for sleepers in [1, 1, 0] {
            clock.advance(by: .seconds(2))
            if sleepers > 0 { await clock.waitForSleepers(sleepers) }
        }
        #expect(try await refusal == nil)
        #expect(try await other == .unknownKey("key_3"))
    }

    @Test func `a token waits while one of Gatepost's servers has not heard of its key`() async throws {
        _ = try await verifier.verify(issuer.token())
        clock.advance(by: .seconds(10))
        let key = P256.Signing.PrivateKey()
        let token = try issuer.token(key: "key_2", signedBy: key)
        async let refusal = verifier.refusal(of: token)
        // It was asked for and is not there; after the floor it is asked for again.
        await clock.waitForSleepers(1)
        clock.advance(by: .seconds(2))
        await clock.waitForSleepers(1)
        issuer.change { $0.keys["key_2"] = key }
        clock.advance(by: .seconds(2))

        #expect(try await refusal == nil)
        #expect(issuer.fetchCount == 4)
    }

    @Test func `a key that never comes is refused after eight seconds`() async throws {
        _ = try await verifier.verify(issuer.token())
        clock.advance(by: .seconds(10))
        let token = try issuer.token(key: "key_2", signedBy: P256.Signing.PrivateKey())
        async let refusal = verifier.refusal(of: token)
        for _ in 0..<3 {
            await clock.waitForSleepers(1)
            clock.advance(by: .seconds(2))
        }

        #expect(try await refusal == .unknownKey("key_2"))
        #expect(issuer.fetchCount == 5)
    }

    @Test func `a flood of unknown keys causes one request in the time of the floor`() async throws {
        let good = try issuer.token()
        _ = try await verifier.verify(good)
        clock.advance(by: .seconds(10))
        let flood = try (0..<500).map { try issuer.token(key: "key_x\($0)", signedBy: issuer.key("key_1")) }
        let sums = Task { await verifyAtOnce(flood) }
        // A hundred wait, and no more; the others are told to come again, and good tokens are taken all along.
        await clock.waitForSleepers(100)
        #expect(issuer.fetchCount == 2)
        for second in 1...3 {
            #expect(try await verifier.refusal(of: good) == nil)
            clock.advance(by: .seconds(2))
            if second < 3 { await clock.waitForSleepers(100) }
        }
        let (taken, refused, putOff) = await sums.value

        #expect(taken == 0 && refused == 100 && putOff == 400)
        #expect(issuer.fetchCount == 5)
    }

    @Test func `tokens that are older than the keys and of no known key cause no request at all`() async throws {
        _ = try await verifier.verify(issuer.token())
        let stranger = P256.Signing.PrivateKey()
        let flood = try (0..<500).map { number in
            try issuer.token(
                key: "key_x\(number)", signedBy: stranger, claims: ["iat": clock.unixSeconds - 40])
        }

        #expect(await verifyAtOnce(flood) == (0, 500, 0))
        #expect(issuer.fetchCount == 1)
    }

    @Test func `while the issuer does not answer, old keys serve for an hour`() async throws {
        _ = try await verifier.verify(issuer.token())
        issuer.change { $0.isDown = true }
        for _ in 0..<35 {
            clock.advance(by: .seconds(100))
            #expect(try await verifier.refusal(of: issuer.token()) == nil)
        }
        clock.advance(by: .seconds(100))
        await #expect(throws: KeysUnavailable.self) { try await verifier.verify(issuer.token()) }
        issuer.change { $0.isDown = false }
        clock.advance(by: .seconds(2))
        #expect(try await verifier.refusal(of: issuer.token()) == nil)
    }

    @Test func `a revoked key is gone with the first answer after an outage`() async throws {
        let token = try issuer.token()
        _ = try await verifier.verify(token)
        issuer.change { $0.isDown = true }
        clock.advance(by: .seconds(301))
        #expect(try await verifier.refusal(of: token) == nil)
        issuer.change {
            $0.isDown = false
            $0.keys = [:]
        }
        // The last failure is not a moment ago, so the answer is waited for.
        clock.advance(by: .seconds(31))
        #expect(try await verifier.refusal(of: token) == .unknownKey("key_1"))
    }

    @Test func `an issuer that has never answered is a reason to come again, and is asked once in two seconds`()
        async throws
    {
        issuer.change { $0.isDown = true }
        let token = try issuer.token()
        #expect(await verifyAtOnce(Array(repeating: token, count: 100)) == (0, 0, 100))
        #expect(await verifyAtOnce([token]) == (0, 0, 1))
        #expect(issuer.fetchCount == 1)
        clock.advance(by: .seconds(2))
        issuer.change { $0.isDown = false }
        #expect(await verifyAtOnce([token]) == (1, 0, 0))
    }

    @Test func `nobody waits for an issuer that hangs, once it has failed`() async throws {
        let token = try issuer.token()
        _ = try await verifier.verify(token)
        issuer.change { $0.isDown = true }
        clock.advance(by: .seconds(300))
        _ = try await verifier.verify(token)
        issuer.change { $0.isHeld = true }
        clock.advance(by: .seconds(10))
        // Were it waited for, this would never end.
        _ = try await verifier.verify(token)
        issuer.release()
    }

    @Test func `what a cache on the way has kept counts as kept`() async throws {
        issuer.change { $0.age = .seconds(200) }
        let token = try issuer.token()
        _ = try await verifier.verify(token)
        issuer.change { $0.keys = [:] }
        clock.advance(by: .seconds(100))
        #expect(try await verifier.refusal(of: token) == .unknownKey("key_1"))
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[1]}"#, "<html>", String(repeating: " ", count: 65_537),
    ])
    func `what is no key set is a failure, and not an empty set`(_ body: String) async throws {
        issuer.change { $0.body = body }
        await #expect(throws: KeysUnavailable.self) { try await verifier.verify(issuer.token()) }
    }

    @Test func `keys of other kinds are passed over, and two of one id are no set`() async throws {
        let good = String(TestIssuer.document(["key_1": issuer.key("key_1")]).dropFirst(9).dropLast(2))
        let others = [
            #"{"kty":"oct","kid":"key_1","k":"AAAA"}"#, #"{"kty":"RSA","kid":"key_1","n":"AQAB","e":"AQAB"}"#,
            good.replacing("\"sig\"", with: "\"enc\""), good.replacing("ES256", with: "ES384"), #"{"kty":"EC"}"#,
            #"{"kty":"EC","crv":"P-256","kid":"key_1","x":"AAAA","y":"AAAA"}"#,
        ]
        issuer.change { $0.body = #"{"keys":[\#((others + [good]).joined(separator: ","))]}"# }
        #expect(try await verifier.refusal(of: issuer.token()) == nil)
        let fresh = try issuer.verifier()
        issuer.change { $0.body = #"{"keys":[\#(good),\#(good)]}"# }
        await #expect(throws: KeysUnavailable.self) { try await fresh.verify(issuer.token()) }
    }

    @Test func `whoever goes away takes nobody's answer along`() async throws {
        issuer.change { $0.isHeld = true }
        let token = try issuer.token()
        let first = Task { [verifier] in try await verifier.verify(token) }
        while issuer.fetchCount == 0 { await Task.yield() }
        let second = Task { [verifier] in try await verifier.verify(token) }
        first.cancel()
        issuer.release()

        #expect(try await second.value.user == TestIssuer.user)
        #expect(issuer.fetchCount == 1)
    }
}

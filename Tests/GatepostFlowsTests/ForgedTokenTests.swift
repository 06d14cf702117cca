import Crypto
import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// Tokens that look like Gatepost's and are not (RFC 8725).
///
/// Where it matters they are signed with the app's own key, so that only the one thing that a test names is wrong with
/// them.
@Suite("Session: forged tokens", .showsSeed)
struct ForgedTokenTests {
    let test: TestFlows
    let answer: TokenAnswer
    let good: Forgery

    init() async throws {
        test = try await TestFlows.make()
        let ada = try EmailAddress.of("ada@example.com")
        try await test.verifiedUser(ada)
        answer = try await test.tokens(ada)
        good = try Forgery(of: answer, test)
    }

    private func isTaken(_ token: String, by test: TestFlows? = nil) async throws -> Bool {
        let test = test ?? self.test
        return try await test.flows.session.session(ofAccessToken: token, in: test.scope).session != nil
    }

    @Test func `put together unchanged, a token is taken: the tests below refuse what they change`() async throws {
        #expect(try await isTaken(answer.accessToken.revealed))
        #expect(try await isTaken(good.signed()))
    }

    @Test(arguments: [
        ("alg", "none"), ("alg", "None"), ("alg", "HS256"), ("alg", "ES384"), ("alg", "es256"), ("typ", "JWT"),
        ("typ", "at+JWT"), ("kid", "key_00000000000000000000000000"), ("kid", "../../dev/null"),
        ("jku", "https://evil.example/jwks"), ("x5u", "https://evil.example/cert"), ("crit", "exp"), ("b64", "false"),
        ("cty", "JWT"), ("zip", "DEF"),
    ])
    func `a header that Gatepost does not write is refused, also under a good signature`(
        _ name: String, _ value: String
    ) async throws {
        var forged = good
        forged.header[name] = value

        #expect(try await !isTaken(forged.signed()))
    }

    @Test(arguments: ["alg", "kid", "typ"])
    func `a header that lacks a member is refused`(_ name: String) async throws {
        var forged = good
        forged.header[name] = nil

        #expect(try await !isTaken(forged.signed()))
    }

    @Test func `a token without a signature is refused, whatever its header says`() async throws {
        var none = good
        none.header["alg"] = "none"

        for input in [try good.signingInput(), try none.signingInput()] {
            #expect(try await !isTaken(input))
            #expect(try await !isTaken(input + "."))
            #expect(try await !isTaken(input + "." + Base64URL.encode([UInt8](repeating: 0, count: 64))))
        }
    }

    @Test func `the public key is no secret to sign with`() async throws {
        let keys = [
            Array(test.signingKey.publicKey.x963Representation),
            Array(test.signingKey.publicKey.pemRepresentation.utf8),
            Array(test.signingKey.publicKey.derRepresentation),
        ]
        for algorithm in ["HS256", "ES256"] {
            var forged = good
            forged.header["alg"] = algorithm
            let input = try forged.signingInput()
            for key in keys {
                let code = HMAC<SHA256>.authenticationCode(for: Array(input.utf8), using: SymmetricKey(data: key))
                #expect(try await !isTaken(input + "." + Base64URL.encode(code)))
            }
        }
    }

    @Test func `a payload that was changed after the signature is refused`() async throws {
        var forged = good
        forged.payload["exp"] = 4_102_444_800
        let parts = answer.accessToken.revealed.split(separator: ".")
        let changed = try forged.signingInput().split(separator: ".")

        #expect(try await !isTaken("\(parts[0]).\(changed[1]).\(parts[2])"))
    }

    @Test func `a key that travels in the header is not used`() async throws {
        var forged = good
        forged.key = P256.Signing.PrivateKey()
        let point = Array(forged.key.publicKey.rawRepresentation)
        forged.header["jwk"] = [
            "kty": "EC", "crv": "P-256", "x": Base64URL.encode(point[0..<32]), "y": Base64URL.encode(point[32...]),
        ]

        #expect(try await !isTaken(forged.signed()))
        forged.header["jwk"] = nil
        #expect(try await !isTaken(forged.signed()))
    }

    @Test(arguments: ["iss", "sub", "aud", "sid", "exp", "iat"])
    func `a claim that is missing or of another type is refused, also under a good signature`(
        _ name: String
    ) async throws {
        for value: Any? in [nil, "another", ["another"], 1.5, true, NSNull()] {
            var forged = good
            forged.payload[name] = value

            #expect(try await !isTaken(forged.signed()), "\(name): \(String(describing: value))")
        }
    }

    @Test func `a token that expired is refused, and so is one of the future`() async throws {
        let now = test.clock.now.seconds
        func isTaken(issuedAt: Int64, expiresAt: Int64) async throws -> Bool {
            var forged = good
            (forged.payload["iat"], forged.payload["exp"]) = (issuedAt, expiresAt)
            return try await self.isTaken(forged.signed())
        }

        #expect(try await isTaken(issuedAt: now - 600, expiresAt: now + 1))
        #expect(try await !isTaken(issuedAt: now - 600, expiresAt: now))
        #expect(try await isTaken(issuedAt: now + 30, expiresAt: now + 630))
        #expect(try await !isTaken(issuedAt: now + 31, expiresAt: now + 631))
    }

    @Test func `another spelling of the same bytes is refused`() async throws {
        let token = answer.accessToken.revealed
        let parts = token.split(separator: ".").map(String.init)
        // The last of 86 characters carries two bits; the other four must be zero.
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let last = try #require(parts[2].last.flatMap { alphabet.firstIndex(of: $0) })
        let respelt = (1..<16).map { parts[0] + "." + parts[1] + "." + parts[2].dropLast() + "\(alphabet[last + $0])" }

        for spelling in respelt + [token + "=", token + "==", token + "\n", " " + token, token + "."] {
            #expect(try await !isTaken(spelling), "\(spelling.suffix(10))")
        }
        #expect(try await !isTaken(parts[0] + "=." + parts[1] + "." + parts[2]))
        #expect(try await !isTaken("Bearer " + token))
    }

    @Test(arguments: ["", ".", "..", "...", "a.b.c", "é.é.é", "\u{0}"])
    func `what is no token at all is refused`(_ text: String) async throws {
        #expect(try await !isTaken(text))
    }

    @Test func `a token of more than four kilobytes is not looked at`() async throws {
        var forged = good
        forged.payload["pad"] = ""
        let short = try forged.signed().utf8.count
        // Three bytes of payload are four of the token.
        forged.payload["pad"] = String(repeating: "x", count: (TokenVerifier.tokenBytesMax - short) / 4 * 3)
        let fits = try forged.signed()
        forged.payload["pad"] = String(repeating: "x", count: TokenVerifier.tokenBytesMax)
        let tooLong = try forged.signed()

        #expect(fits.utf8.count <= TokenVerifier.tokenBytesMax && fits.utf8.count > TokenVerifier.tokenBytesMax - 8)
        #expect(try await isTaken(fits))
        #expect(try await !isTaken(tooLong))
    }

    @Test func `another app's token with this app's claims is refused, also where both keys have one id`()
        async throws
    {
        let other = try await TestFlows.make(signingKeyID: test.signingKeyID)
        var forged = good
        forged.key = other.signingKey

        #expect(try await !isTaken(forged.signed()))
        #expect(try await !isTaken(good.signed(), by: other))
    }

    @Test(arguments: ["iss", "aud"])
    func `a token that names another app is refused, also under a good signature`(_ claim: String) async throws {
        let other = try await TestFlows.make()
        var forged = good
        forged.payload[claim] =
            claim == "aud" ? "\(other.app.id)" : TokenIssuer.issuer(of: other.app.id, baseURL: TestFlows.baseURL)

        #expect(try await !isTaken(forged.signed()))
    }

    @Test func `a token with another user's subject finds no session`() async throws {
        var forged = good
        forged.payload["sub"] = "\(UserID.make(at: test.clock.now, random: test.app.random))"

        #expect(try await !isTaken(forged.signed()))
    }
}

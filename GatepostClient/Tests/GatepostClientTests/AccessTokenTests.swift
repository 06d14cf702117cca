import Crypto
import CryptoExtras
import Foundation
import GatepostClient
import Testing

/// Which tokens are taken, and why the others are not (RFC 8725, RFC 9068).
@Suite("GatepostClient: tokens")
struct AccessTokenTests {
    let clock = ManualClock()
    let issuer: TestIssuer
    let verifier: AccessTokenVerifier

    init() throws {
        issuer = TestIssuer(clock)
        verifier = try issuer.verifier()
    }

    @Test func `a good token is taken, and read`() async throws {
        struct Added: Decodable {
            let plan: String
        }
        let token = try await verifier.verify(issuer.token(claims: ["plan": "gold"]))

        #expect(token.user == TestIssuer.user && token.client == TestIssuer.client && token.app == TestIssuer.app)
        #expect(token.session == "ses_01kjpsf491fkn8r7c3xy8b5yr8" && token.id == "one")
        #expect(token.issuedAt == ManualClock.start && token.expiresAt == ManualClock.start + 600)
        #expect(token.methods == ["pwd"] && token.scopes == ["openid", "email"])
        #expect(token.roles == ["editor"] && token.permissions == ["notes.write"])
        #expect(try token.claims(as: Added.self).plan == "gold")
    }

    @Test func `a token of a client that acts for itself has no user`() async throws {
        let token = try await verifier.verify(
            issuer.token(claims: [
                "sub": TestIssuer.client, "sid": nil, "auth_time": nil, "amr": nil, "scope": nil, "roles": nil,
                "permissions": nil,
            ]))

        #expect(token.user == nil && token.session == nil && token.client == TestIssuer.client)
        #expect(token.permissions.isEmpty && token.scopes.isEmpty)
    }

    /// Story: a third party's server sent its users' tokens, and its own, to the app's API, whose audience they have.
    @Test func `a token of a third party's client is refused`() async throws {
        for party in ["third_party", "fourth_party", ""] {
            let token = try issuer.token(claims: ["party": party])
            #expect(try await verifier.refusal(of: token) == .thirdParty)
        }
        #expect(try await verifier.refusal(of: issuer.token(claims: ["party": "first_party"])) == nil)
    }

    @Test func `a token of a third party's client is taken by a verifier that is told to, and says whose it is`()
        async throws
    {
        let accepting = try issuer.verifier(acceptsThirdParties: true)
        let foreign = try await accepting.verify(issuer.token(claims: ["party": "third_party"]))
        #expect(foreign.isThirdParty && foreign.scopes == ["openid", "email"])
        #expect(try await !accepting.verify(issuer.token()).isThirdParty)
        #expect(try await accepting.refusal(of: issuer.token(claims: ["party": ["third_party"]])) == .malformed)
    }

    @Test(arguments: ["none", "None", "HS256", "RS256", "ES384", "es256", ""])
    func `another algorithm than ES256 is refused, also under a good signature`(_ name: String) async throws {
        #expect(try await verifier.refusal(of: issuer.token(header: ["alg": name])) == .wrongAlgorithm(name))
        #expect(issuer.fetchCount == 0)
    }

    @Test func `an RSA key beside the others, for ID tokens, is no trouble and signs no access token`() async throws {
        let rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let numbers = try rsa.publicKey.getKeyPrimitives()
        let member = """
            {"kty":"RSA","use":"sig","alg":"RS256","kid":"key_rsa","n":"\(TestIssuer.encode(numbers.modulus))",\
            "e":"\(TestIssuer.encode(numbers.publicExponent))"}
            """
        let document = TestIssuer.document(["key_1": issuer.key("key_1")])
        issuer.change { $0.body = document.replacing("[", with: "[\(member),") }
        #expect(try await verifier.refusal(of: issuer.token()) == nil)

        // Of before the keys, so that nobody waits for a key that is yet to come.
        let claims: [String: Any?] = ["iat": clock.unixSeconds - 40]
        let ours = try issuer.token(key: "key_rsa", claims: claims)
        #expect(try await verifier.refusal(of: ours) == .unknownKey("key_rsa"))
        for algorithm in ["RS256", "ES256"] {
            let header = Data(#"{"alg":"\#(algorithm)","kid":"key_rsa","typ":"at+jwt"}"#.utf8)
            let input = TestIssuer.encode(header) + "." + ours.split(separator: ".")[1]
            let signature = try rsa.signature(for: Data(input.utf8), padding: .insecurePKCS1v1_5).rawRepresentation
            let refusal = try await verifier.refusal(of: input + "." + TestIssuer.encode(signature))
            #expect(refusal == (algorithm == "RS256" ? .wrongAlgorithm("RS256") : .unknownKey("key_rsa")))
        }
        #expect(issuer.fetchCount == 1)
    }

    @Test func `extensions that must be understood are refused`() async throws {
        for value in [["b64"], ["exp"], []] as [[String]] {
            let token = try issuer.token(header: ["crit": value])
            #expect(try await verifier.refusal(of: token) == .wrongAlgorithm("ES256"))
        }
    }

    @Test func `where a header says that keys are is nowhere asked`() async throws {
        let thief = P256.Signing.PrivateKey()
        let point = Array(thief.publicKey.x963Representation)
        let header: [String: Any?] = [
            "jku": "https://evil.example/jwks.json", "x5u": "https://evil.example/cert",
            "jwk": [
                "kty": "EC", "crv": "P-256", "x": TestIssuer.encode(point[1..<33]),
                "y": TestIssuer.encode(point[33..<65]),
            ],
        ]
        #expect(try await verifier.refusal(of: issuer.token(signedBy: thief, header: header)) == .badSignature)
        #expect(try await verifier.refusal(of: issuer.token(header: header)) == nil)
    }

    @Test(arguments: ["JWT", "jwt", "at+JWTs", "logout+jwt", "dpop+jwt", ""])
    func `another kind of token is refused, such as an ID token`(_ type: String) async throws {
        #expect(try await verifier.refusal(of: issuer.token(header: ["typ": type])) == .wrongType(type))
    }

    @Test func `a token without a type is refused, and the long form of the type is taken`() async throws {
        #expect(try await verifier.refusal(of: issuer.token(header: ["typ": nil])) == .wrongType(""))
        #expect(try await verifier.refusal(of: issuer.token(header: ["typ": "application/at+jwt"])) == nil)
    }

    @Test(arguments: ["iss", "sub", "aud", "client_id", "app_id", "iat", "exp", "jti"])
    func `a token that lacks a claim is refused`(_ name: String) async throws {
        #expect(try await verifier.refusal(of: issuer.token(claims: [name: nil])) == .malformed)
    }

    @Test func `a token of another issuer, for somebody else or of another app is refused`() async throws {
        let other = "app_01kjpsf48yf3gr2mrntwb7e2cm"
        for text in [
            TestIssuer.text + "/", "https://auth.example.com/apps/\(other)", "http" + TestIssuer.text.dropFirst(5),
        ] {
            #expect(try await verifier.refusal(of: issuer.token(claims: ["iss": text])) == .wrongIssuer(text))
        }
        for audience in [other, [other], [], TestIssuer.client] as [Any] {
            #expect(try await verifier.refusal(of: issuer.token(claims: ["aud": audience])) == .wrongAudience)
        }
        #expect(try await verifier.refusal(of: issuer.token(claims: ["aud": [other, TestIssuer.app]])) == nil)
        #expect(try await verifier.refusal(of: issuer.token(claims: ["app_id": other])) == .wrongApp(other))
    }

    @Test func `a token ends at its time and half a minute`() async throws {
        let token = try issuer.token()
        clock.advance(by: .seconds(629))
        #expect(try await verifier.refusal(of: token) == nil)
        clock.advance(by: .seconds(1))
        #expect(try await verifier.refusal(of: token) == .expired(at: ManualClock.start + 600))
    }

    @Test func `a token from the future is refused past half a minute`() async throws {
        let now = clock.unixSeconds
        #expect(try await verifier.refusal(of: issuer.token(claims: ["iat": now + 30])) == nil)
        #expect(
            try await verifier.refusal(of: issuer.token(claims: ["iat": now + 31])) == .notYetIssued(at: now + 31))
        for extreme in [Int64.min, Int64.max] {
            #expect(
                try await verifier.refusal(of: issuer.token(claims: ["exp": extreme]))
                    == (extreme > 0 ? nil : .expired(at: extreme)))
        }
        #expect(try await verifier.refusal(of: issuer.token(claims: ["iat": Int64.max])) == .notYetIssued(at: .max))
    }

    @Test func `a changed byte is refused, and so is another spelling of the same bytes`() async throws {
        let token = try issuer.token()
        let parts = token.split(separator: ".").map(String.init)
        let changed = parts[1].replacing("a", with: "b", maxReplacements: 1)
        #expect(try await verifier.refusal(of: [parts[0], changed, parts[2]].joined(separator: ".")) != nil)
        let other = try issuer.token(claims: ["jti": "two"]).split(separator: ".")[2]
        #expect(
            try await verifier.refusal(of: [parts[0], parts[1], String(other)].joined(separator: ".")) == .badSignature)
        let stranger = try issuer.token(signedBy: P256.Signing.PrivateKey())
        #expect(try await verifier.refusal(of: stranger) == .badSignature)
        let spellings = [
            token + "=", token + "\n", " " + token, token + ".", String(token.dropLast()), parts[0] + "." + parts[1],
            parts[0] + "." + parts[1] + ".", "", ".", "..", token.replacing(".", with: ". "), parts[2],
            [parts[0], parts[1] + "==", parts[2]].joined(separator: "."),
        ]
        for text in spellings {
            #expect(try await verifier.refusal(of: text) != nil, "\(text)")
        }
    }

    @Test func `a signature of zeros, and one of another form, are refused`() async throws {
        let input = try issuer.token().split(separator: ".").prefix(2).joined(separator: ".")
        let der = try issuer.key("key_1").signature(for: Data(input.utf8)).derRepresentation
        for signature in [[UInt8](repeating: 0, count: 64), Array(der), []] {
            #expect(try await verifier.refusal(of: input + "." + TestIssuer.encode(signature)) == .badSignature)
        }
    }

    @Test func `what is too long or no JSON is refused before anything is asked`() async throws {
        let long = try issuer.token(claims: ["more": String(repeating: "x", count: 8000)])
        #expect(try await verifier.refusal(of: long) == .malformed)
        for part in ["null", "[]", "{", "{\"alg\":1}", "\u{0}"] {
            let text = [part, "{}", "x"].map { TestIssuer.encode(Array($0.utf8)) }.joined(separator: ".")
            #expect(try await verifier.refusal(of: text) == .malformed, "\(part)")
        }
        #expect(issuer.fetchCount == 0)
    }

    @Test(arguments: [
        "http://auth.example.com/apps/app_01kjpsf48yf3gr2mrntwb7e2cn", "https://auth.example.com",
        "https://auth.example.com/apps/", "https://auth.example.com/apps/app_1",
        "https://auth.example.com/apps/app_01kjpsf48yf3gr2mrntwb7e2cn/",
        "https://a@auth.example.com/apps/app_01kjpsf48yf3gr2mrntwb7e2cn", "",
        "https://auth.example.com/apps/app_01kjpsf48yf3gr2mrntwb7e2cn?x=y",
        "ftp://localhost/apps/app_01kjpsf48yf3gr2mrntwb7e2cn",
        "http://localhost.example.com/apps/app_01kjpsf48yf3gr2mrntwb7e2cn",
        "https:///apps/app_01kjpsf48yf3gr2mrntwb7e2cn",
    ])
    func `what is no issuer is refused when the program starts`(_ text: String) {
        #expect(throws: GatepostIssuer.Malformed.self) { try GatepostIssuer(text) }
    }

    @Test func `an issuer names its app and where its keys are`() throws {
        for base in [
            "https://auth.example.com", "http://localhost:8080", "http://127.0.0.1:8080", "https://a.example/in",
        ] {
            let issuer = try GatepostIssuer("\(base)/apps/\(TestIssuer.app)")
            #expect(issuer.app == TestIssuer.app)
            #expect(issuer.keySetURL.absoluteString == "\(base)/apps/\(TestIssuer.app)/jwks.json")
        }
    }
}

import Crypto
import CryptoExtras
import Curl
import Foundation
import GatepostModel
import TestSupport
import Testing

/// A published key as anybody reads it.
struct PublishedKey: Decodable {
    let members: [String: String]

    init(from decoder: any Decoder) throws { members = try [String: String](from: decoder) }

    subscript(name: String) -> String { members[name] ?? "" }

    /// Whether this key has signed a token, by its members alone.
    func hasSigned(_ token: String) throws -> Bool {
        let parts = token.split(separator: ".").map(String.init)
        let signed = Data("\(parts[0]).\(parts[1])".utf8)
        let signature = try #require(Base64URL.decode(parts[2].utf8))
        func number(_ name: String) throws -> [UInt8] { try #require(Base64URL.decode(self[name].utf8)) }
        guard self["kty"] == "RSA" else {
            let key = try P256.Signing.PublicKey(x963Representation: [4] + number("x") + number("y"))
            return key.isValidSignature(try P256.Signing.ECDSASignature(rawRepresentation: signature), for: signed)
        }
        let key = try _RSA.Signing.PublicKey(n: number("n"), e: number("e"))
        return key.isValidSignature(
            _RSA.Signing.RSASignature(rawRepresentation: signature), for: signed, padding: .insecurePKCS1v1_5)
    }
}

extension TestServer {
    /// The keys that the app publishes.
    func publishedKeys() async throws -> [PublishedKey] {
        struct KeySet: Decodable {
            let keys: [PublishedKey]
        }
        let answer = try await send("GET", "\(hosted)/jwks.json")
        return try JSONDecoder().decode(KeySet.self, from: Data(answer.body)).keys
    }

    /// Lets a confidential client sign Ada in.
    func openIDTokens(of client: ConfidentialClient) async throws -> HTTPResponse {
        let answer = try await browse(["client_id": "\(client.id)", "scope": "openid"])
        return try await issuer(
            "token",
            [
                "grant_type": "authorization_code", "code": try #require(answer.parameter("code"), "\(answer.text)"),
                "redirect_uri": TestFlows.redirectURI, "code_verifier": TestFlows.codeVerifier,
            ], authorization: client.basic)
    }

    /// Changes what is registered for a client.
    @discardableResult
    func change(_ client: ClientID, to json: String) async throws -> HTTPResponse {
        try await admin("PATCH", "\(adminAPI)/clients/\(client)", key: try await apiKey(.admin), json: json)
    }
}

/// What a client's ID tokens are signed with (OpenID Connect Core, section 15.1; Registration, section 2).
@Suite("ID tokens: algorithms")
struct IDTokenAlgorithmTests {
    private func running(_ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await body(server)
        }
    }

    @Test func `a client that says nothing of it is signed for with RS256, by a key that its app gets with it`()
        async throws
    {
        try await running { server in
            let made = try await server.admin(
                "POST", "\(server.adminAPI)/clients", key: try await server.apiKey(.admin),
                json: #"{"name": "W", "type": "confidential", "redirect_uris": ["\#(TestFlows.redirectURI)"]}"#)
            #expect(made.field("id_token_signed_response_alg") == "RS256", "\(made.text)")
            let client = ConfidentialClient(
                id: try #require(made.field("id").flatMap { ClientID($0) }), secret: try #require(made.field("secret")))
            server.app.clock.advance(by: .seconds(5))
            let answer = try await server.openIDTokens(of: client)

            let keys = try await server.publishedKeys()
            #expect(keys.map { $0["alg"] } == ["ES256", "RS256"])
            let rsa = try #require(keys.last)
            #expect(Set(rsa.members.keys) == ["kty", "use", "alg", "kid", "n", "e"])
            #expect(rsa["kty"] == "RSA" && rsa["use"] == "sig" && rsa["e"] == "AQAB")
            #expect(Base64URL.decode(rsa["n"].utf8)?.count == 256)
            let (idToken, access) = (
                try #require(answer.field("id_token"), "\(answer.text)"), try #require(answer.field("access_token"))
            )
            let header = try #require(try ReadToken(idToken).header as? [String: String])
            #expect(header == ["alg": "RS256", "kid": rsa["kid"], "typ": "JWT"])
            #expect(try rsa.hasSigned(idToken))
            let half = Base64URL.encode(SHA256.hash(data: Data(access.utf8)).prefix(16))
            #expect(try ReadToken(idToken)["at_hash"] == half)
            // Access tokens stay what they are.
            #expect(try ReadToken(access).header["alg"] as? String == "ES256")
            #expect(try keys[0].hasSigned(access))
            let next = try await server.issuer(
                "token", ["grant_type": "refresh_token", "refresh_token": answer.field("refresh_token") ?? ""],
                authorization: client.basic)
            #expect(try rsa.hasSigned(try #require(next.field("id_token"), "\(next.text)")))

            let told = try await server.texts(
                """
                select concat_ws(' ', kind, actor_kind, details ->> 'algorithm', details ->> 'key_id') as text
                  from audit_events where kind in ('client.created', 'signing_key.created') order by 1
                """)
            #expect(told == ["client.created api_key", "signing_key.created api_key RS256 \(rsa["kid"])"])
        }
    }

    @Test func `an app whose clients ask for ES256 gets no key for anything else`() async throws {
        try await running { server in
            let client = try await server.confidentialClient()
            let token = try #require(try await server.openIDTokens(of: client).field("id_token"))
            let keys = try await server.publishedKeys()
            #expect(keys.map { $0["alg"] } == ["ES256"])
            #expect(try keys[0].hasSigned(token))
        }
    }

    @Test func `changing a client's algorithm changes its next ID token, and those before go on as hints`()
        async throws
    {
        try await running { server in
            let client = server.app.client
            let browser = TestBrowser(server)
            func idToken() async throws -> (text: String, algorithm: String?) {
                let answer = try await server.browse(["scope": "openid"], in: browser)
                let tokens = try await server.exchange(try #require(answer.parameter("code"), "\(answer.text)"))
                let text = try #require(tokens.field("id_token"), "\(tokens.text)")
                return (text, try ReadToken(text).header["alg"] as? String)
            }
            var tokens = [try await idToken()]
            for algorithm in ["RS256", "ES256"] {
                let changed = try await server.change(
                    client, to: #"{"id_token_signed_response_alg": "\#(algorithm)"}"#)
                #expect(changed.field("id_token_signed_response_alg") == algorithm, "\(changed.text)")
                server.app.clock.advance(by: .seconds(5))
                tokens.append(try await idToken())
            }
            #expect(tokens.map(\.algorithm) == ["ES256", "RS256", "ES256"])
            for token in tokens {
                let answer = try await browser.open(
                    server.authorizePath(["prompt": "none", "id_token_hint": token.text]))
                #expect(answer.parameter("code") != nil, "\(answer.location ?? "")")
            }
            let named = try await server.texts(
                "select details ->> 'fields' as text from audit_events where kind = 'client.changed'")
            #expect(named == Array(repeating: "id_token_signed_response_alg", count: 2))
        }
    }

    @Test(arguments: ["none", "HS256", "PS256", "rs256", ""])
    func `another algorithm is a problem, and changes nothing`(_ name: String) async throws {
        try await running { server in
            let key = try await server.apiKey(.admin)
            let made = try await server.admin(
                "POST", "\(server.adminAPI)/clients", key: key,
                json: #"{"name": "W", "type": "public", "id_token_signed_response_alg": "\#(name)"}"#)
            let changed = try await server.change(
                server.app.client, to: #"{"name": "W", "id_token_signed_response_alg": "\#(name)"}"#)
            for answer in [made, changed] {
                #expect(answer.problem == .invalidRequest && answer.text.contains("RS256 or ES256"), "\(answer.text)")
            }
            #expect(try await server.texts("select name as text from clients") == ["Web"])
            #expect(try await server.publishedKeys().count == 1)
        }
    }

    @Test func `without a key of its algorithm a client gets no tokens, and loses neither its code nor its session`()
        async throws
    {
        try await running { server in
            let client = try await server.confidentialClient()
            let first = try await server.openIDTokens(of: client)
            let refresh = try #require(first.field("refresh_token"))
            let asked = try await server.browse(["client_id": "\(client.id)", "scope": "openid"])
            let code = try #require(asked.parameter("code"))
            try await server.tamper(
                "update clients set id_token_signed_response_alg = 'RS256' where app_id = \(server.sqlID)")
            func exchange(_ grant: String, _ name: String, _ value: String) async throws -> HTTPResponse {
                try await server.issuer(
                    "token",
                    [
                        "grant_type": grant, name: value, "redirect_uri": TestFlows.redirectURI,
                        "code_verifier": TestFlows.codeVerifier,
                    ], authorization: client.basic)
            }
            for answer in [
                try await exchange("authorization_code", "code", code),
                try await exchange("refresh_token", "refresh_token", refresh),
            ] {
                #expect(answer.status == 500 && !answer.text.contains("ey"), "\(answer.text)")
            }
            // Naming the algorithm makes the key that is missing.
            try await server.change(client.id, to: #"{"id_token_signed_response_alg": "RS256"}"#)
            server.app.clock.advance(by: .seconds(5))
            #expect(try await exchange("authorization_code", "code", code).field("id_token") != nil)
            let refreshed = try await exchange("refresh_token", "refresh_token", refresh)
            #expect(try ReadToken(try #require(refreshed.field("id_token"))).header["alg"] as? String == "RS256")
        }
    }
}

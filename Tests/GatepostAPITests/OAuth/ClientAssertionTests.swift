import Curl
import Foundation
import GatepostFlows
import GatepostModel
import TestSupport
import Testing

@Suite("Confidential clients: signed proofs")
struct ClientAssertionTests {
    private static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    /// A server with a user and a client that has registered its key.
    private func running(
        _ body: (TestServer, ClientID, ClientSigner) async throws -> Void
    ) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let signer = ClientSigner()
            let answer = try await create(server, keys: signer.jwk)
            #expect(answer.status == 201 && answer.field("secret") == nil, "\(answer.text)")
            try await body(server, try #require(answer.field("id").flatMap { ClientID($0) }), signer)
        }
    }

    private func create(_ server: TestServer, keys: String, type: String = "confidential") async throws -> HTTPResponse
    {
        try await server.admin(
            "POST", "\(server.adminAPI)/clients", key: try await server.apiKey(.admin),
            json: """
                {"name": "Signer", "type": "\(type)", "redirect_uris": ["\(TestFlows.redirectURI)"],
                 "id_token_signed_response_alg": "ES256", "jwks": {"keys": [\(keys)]}}
                """)
    }

    private func exchange(_ code: String, _ proof: String, _ server: TestServer) async throws -> HTTPResponse {
        try await server.issuer(
            "token",
            [
                "grant_type": "authorization_code", "code": code, "redirect_uri": TestFlows.redirectURI,
                "code_verifier": TestFlows.codeVerifier, "client_assertion_type": Self.type, "client_assertion": proof,
            ])
    }

    @Test func `a client proves itself by a signature, for the issuer or for the token endpoint`() async throws {
        try await running { server, client, signer in
            let issuer = "\(TestFlows.baseURL)\(server.hosted)"
            let audiences: [Any] = [issuer, "\(issuer)/oauth/token", [issuer]]
            for audience in audiences {
                let proof = try signer.proof(of: client, on: server, ["aud": audience])
                let answer = try await exchange(try await server.code(for: client), proof, server)
                #expect(answer.status == 200, "\(answer.text)")
            }
        }
    }

    @Test func `a proof works once, on whichever node`() async throws {
        try await running { server, client, signer in
            let proof = try signer.proof(of: client, on: server)
            let codes = [try await server.code(for: client), try await server.code(for: client)]
            #expect(try await exchange(codes[0], proof, server).status == 200)
            try await TestServer.running(flows: server.flows.restarted()) { node in
                #expect(try await exchange(codes[1], proof, node).field("error") == "invalid_client")
                let again = try signer.proof(of: client, on: server)
                #expect(try await exchange(codes[1], again, node).status == 200)
            }
        }
    }

    @Test func `of racing uses of one proof, one gets on`() async throws {
        try await running { server, client, signer in
            let proof = try signer.proof(of: client, on: server)
            let errors = try await race(8) { try await exchange("gac_x", proof, server).field("error") }
            // The code is none: whoever gets that far has proved who it is.
            #expect(errors.count { $0 == "invalid_grant" } == 1)
            #expect(errors.count { $0 == "invalid_client" } == 7)
        }
    }

    /// What is wrong with a proof, by name.
    static let flaws: [(String, [String: (any Sendable)?], [String: any Sendable])] = [
        ("another issuer", ["iss": "cli_other"], [:]),
        ("another audience", ["aud": "https://other.example"], [:]),
        ("an audience more", ["aud": ["ISSUER", "https://other.example"]], [:]),
        ("no audience", ["aud": nil], [:]),
        ("expired", ["exp": -1], [:]),
        ("too long", ["exp": 331], [:]),
        ("without an end", ["exp": nil], [:]),
        ("not yet valid", ["nbf": 60], [:]),
        ("from the future", ["iat": 60], [:]),
        ("without an id", ["jti": nil], [:]),
        ("an empty id", ["jti": ""], [:]),
        ("an unknown key", [:], ["kid": "two"]),
        ("no algorithm", [:], ["alg": "none"]),
        ("a shared secret's algorithm", [:], ["alg": "HS256"]),
        ("another kind of key", [:], ["alg": "RS256"]),
        ("a token of another kind", [:], ["typ": "at+jwt"]),
        ("an extension", [:], ["crit": ["exp"]]),
    ]

    @Test(arguments: flaws.indices) func `a proof that does not hold is refused`(_ index: Int) async throws {
        try await running { server, client, signer in
            let (name, claims, header) = Self.flaws[index]
            let now = server.app.clock.now.seconds
            let issuer = "\(TestFlows.baseURL)\(server.hosted)"
            let moved = claims.mapValues { value -> Any? in
                if let seconds = value as? Int { return now + Int64(seconds) }
                if let names = value as? [String] { return names.map { $0 == "ISSUER" ? issuer : $0 } }
                return value
            }
            let proof = try signer.proof(of: client, on: server, moved, header: header)
            let code = try await server.code(for: client)
            #expect(try await exchange(code, proof, server).field("error") == "invalid_client", "\(name)")
            #expect(try await server.texts("select 'x' as text from client_assertions").isEmpty)
        }
    }

    @Test func `a proof by another's key, of another client, or beside its id is nothing`() async throws {
        try await running { server, client, signer in
            let stranger = ClientSigner()
            let code = try await server.code(for: client)
            let forged = try stranger.proof(of: client, on: server)
            #expect(try await exchange(code, forged, server).field("error") == "invalid_client")
            let other = try #require(
                try await create(server, keys: stranger.jwk).field("id").flatMap { ClientID($0) })
            let foreign = try await exchange(code, try stranger.proof(of: other, on: server), server)
            #expect(foreign.field("error") == "invalid_grant")
            let mixed = try await server.issuer(
                "token",
                [
                    "grant_type": "refresh_token", "refresh_token": "grt_x", "client_id": "\(other)",
                    "client_assertion_type": Self.type, "client_assertion": try signer.proof(of: client, on: server),
                ])
            #expect(mixed.field("error") == "invalid_client")
            let untyped = try await server.issuer(
                "token", ["grant_type": "refresh_token", "client_assertion": forged])
            #expect(untyped.field("error") == "invalid_request")
        }
    }

    @Test func `a key that is replaced proves nothing more`() async throws {
        try await running { server, client, signer in
            let next = ClientSigner(keyID: "two")
            let answer = try await server.admin(
                "PATCH", "\(server.adminAPI)/clients/\(client)", key: try await server.apiKey(.admin),
                json: #"{"jwks": {"keys": [\#(next.jwk)]}}"#)
            #expect(answer.status == 200, "\(answer.text)")
            let code = try await server.code(for: client)
            let old = try await exchange(code, try signer.proof(of: client, on: server), server)
            #expect(old.field("error") == "invalid_client")
            #expect(try await exchange(code, try next.proof(of: client, on: server), server).status == 200)
        }
    }

    static let keys = [
        "", #"{"kty": "oct", "k": "c2VjcmV0"}"#, #"{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}"#,
        #"{"kty": "RSA", "n": "\#(String(repeating: "A", count: 171))", "e": "AQAB"}"#,
        // 1,024 bits.
        #"{"kty": "RSA", "n": "\#("w" + String(repeating: "A", count: 170))", "e": "AQAB"}"#,
        // 2,048 bits, but an exponent of 3.
        #"{"kty": "RSA", "n": "\#("w" + String(repeating: "A", count: 341))", "e": "Aw"}"#,
    ]

    @Test func `what is no public key of these algorithms is not registered`() async throws {
        try await TestServer.running { server in
            for key in Self.keys {
                let answer = try await create(server, keys: key)
                #expect(answer.problem == .invalidRequest, "\(key): \(answer.text)")
            }
        }
    }

    @Test func `a private key, two of one id and keys of a public client are refused`() async throws {
        try await TestServer.running { server in
            let (one, two) = (ClientSigner(), ClientSigner())
            let hidden = one.jwk.replacing(#""use""#, with: #""d": "c2VjcmV0", "use""#)
            let bad = [
                try await create(server, keys: hidden), try await create(server, keys: "\(one.jwk), \(two.jwk)"),
                try await create(server, keys: one.jwk, type: "public"),
            ]
            for answer in bad { #expect(answer.problem == .invalidRequest, "\(answer.text)") }
            let large = #"{"kty": "RSA", "n": "\#("w" + String(repeating: "A", count: 341))", "e": "AQAB"}"#
            let answer = try await create(server, keys: large)
            #expect(answer.status == 201)
        }
    }
}

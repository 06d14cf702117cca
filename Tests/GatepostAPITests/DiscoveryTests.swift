import Crypto
import Curl
import Foundation
import GatepostModel
import TestSupport
import Testing

@Suite("Discovery")
struct DiscoveryTests {
    @Test func `the metadata say what is true today, at both addresses`() async throws {
        try await TestServer.running { server in
            let issuer = "\(TestFlows.baseURL)\(server.hosted)"
            let openID = try await server.send("GET", "\(server.hosted)/.well-known/openid-configuration")
            let oauth = try await server.send("GET", "/.well-known/oauth-authorization-server\(server.hosted)")

            #expect(openID.status == 200)
            #expect(openID.body == oauth.body)
            #expect(openID.header("Content-Type") == "application/json")
            #expect(openID.header("Cache-Control") == "public, max-age=300")
            #expect(openID.field("issuer") == issuer)
            #expect(openID.field("token_endpoint") == "\(issuer)/oauth/token")
            #expect(openID.field("jwks_uri") == "\(issuer)/jwks.json")
            #expect(openID.field("authorization_endpoint") == "\(issuer)/oauth/authorize")
            #expect(openID.field("userinfo_endpoint") == "\(issuer)/oauth/userinfo")
            #expect(openID.field("pushed_authorization_request_endpoint") == "\(issuer)/oauth/par")
            #expect(openID.field("end_session_endpoint") == "\(issuer)/oauth/logout")
            #expect(openID.field("revocation_endpoint") == "\(issuer)/oauth/revoke")
            #expect(openID.field("introspection_endpoint") == "\(issuer)/oauth/introspect")
            #expect(openID.field("authorization_response_iss_parameter_supported") == "1")
            for claim in [
                #""code_challenge_methods_supported":["S256"]"#, #""response_types_supported":["code"]"#,
                #""grant_types_supported":["authorization_code","refresh_token","client_credentials"]"#,
                #""token_endpoint_auth_methods_supported":["none",\#(Self.proofs)]"#,
                #""revocation_endpoint_auth_methods_supported":["none",\#(Self.proofs)]"#,
                #""introspection_endpoint_auth_methods_supported":[\#(Self.proofs)]"#,
                #""scopes_supported":["openid","email","profile"]"#,
                #""id_token_signing_alg_values_supported":["RS256","ES256"]"#,
                #""token_endpoint_auth_signing_alg_values_supported":["ES256","RS256"]"#,
                #""subject_types_supported":["public","pairwise"]"#,
                #""response_modes_supported":["query"]"#, #""ui_locales_supported":["de","en"]"#,
                #""prompt_values_supported":["none","login","consent","select_account"]"#,
            ] {
                #expect(openID.text.contains(claim))
            }
        }
    }

    private static let proofs = #""client_secret_basic","client_secret_post","private_key_jwt""#

    private struct KeySet: Decodable {
        let keys: [[String: String]]
    }

    @Test func `the key set verifies an access token and holds nothing private`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let token = try await server.session().access
            let answer = try await server.send("GET", "\(server.hosted)/jwks.json")
            #expect(answer.header("Cache-Control") == "public, max-age=300")

            let set = try JSONDecoder().decode(KeySet.self, from: Data(answer.body))
            let key = try #require(set.keys.first)
            #expect(set.keys.count == 1)
            #expect(Set(key.keys) == ["kty", "crv", "use", "alg", "kid", "x", "y"])
            let point =
                [4] + (Base64URL.decode((key["x"] ?? "").utf8) ?? []) + (Base64URL.decode((key["y"] ?? "").utf8) ?? [])
            let parts = token.split(separator: ".").map(String.init)
            let signature = try P256.Signing.ECDSASignature(
                rawRepresentation: try #require(Base64URL.decode(parts[2].utf8)))
            #expect(
                try P256.Signing.PublicKey(x963Representation: point)
                    .isValidSignature(signature, for: Data("\(parts[0]).\(parts[1])".utf8)))
        }
    }

    @Test func `each app has keys of its own`() async throws {
        try await TestServer.running { server in
            let other = try await server.otherApp()
            let mine = try await server.send("GET", "\(server.hosted)/jwks.json").body
            let theirs = try await server.send("GET", "/apps/\(other.id)/jwks.json").body
            #expect(mine != theirs)
        }
    }
}

import Curl
import GatepostModel
import TestSupport
import Testing

/// What the basic profile of the OpenID Foundation sends beside what is needed; docs/conformance.md has all of it.
@Suite("Basic profile")
struct BasicProfileTests {
    private func running(_ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await body(server)
        }
    }

    @Test func `unknown parameters, display, acr_values, claims_locales and claims do no harm`() async throws {
        try await running { server in
            for changes: [String: String?] in [
                ["extra": "foobar"], ["display": "page"], ["display": "popup"], ["acr_values": "1 2"],
                ["claims_locales": "se"], ["claims": #"{"userinfo":{"name":{"essential":true}}}"#],
            ] {
                let answer = try await server.browse(changes.merging(["scope": "openid"]) { $1 })
                let tokens = try await server.exchange(try #require(answer.parameter("code"), "\(changes)"))
                #expect(tokens.status == 200 && tokens.field("id_token") != nil, "\(changes)")
            }
        }
    }

    @Test func `scopes come in any order, and a nonce may be left out`() async throws {
        try await running { server in
            for scope in ["openid email profile", "profile openid email", "email profile openid address phone"] {
                let tokens = try await server.openIDTokens(scope: scope, nonce: nil)
                let idToken = try ReadToken(try #require(tokens.field("id_token"), "\(scope): \(tokens.text)"))
                #expect(idToken["sub"] != nil && idToken.claims["nonce"] == nil)
                let known = try await server.userInfo(try #require(tokens.field("access_token")))
                #expect(known.field("email") == "ada@example.com" && known.field("sub") == idToken["sub"])
            }
        }
    }
}

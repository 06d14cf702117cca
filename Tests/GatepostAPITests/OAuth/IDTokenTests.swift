import Crypto
import Curl
import Foundation
import GatepostModel
import TestSupport
import Testing

@Suite("ID tokens")
struct IDTokenTests {
    private func running(_ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await body(server)
        }
    }

    @Test func `a client that asks for openid gets a token that says who, for whom, when and how`() async throws {
        try await running { server in
            let answer = try await server.openIDTokens()
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.field("scope") == "openid email profile")
            let access = try #require(answer.field("access_token"))
            let token = try ReadToken(try #require(answer.field("id_token")))
            let now = server.app.clock.now.seconds
            #expect(token.header["typ"] as? String == "JWT" && token.header["alg"] as? String == "ES256")
            #expect(token["iss"] == "\(TestFlows.baseURL)\(server.hosted)")
            let me = try await server.me(access)
            #expect(token["sub"] == me.field("user.id") && token["sid"] == me.field("session.id"))
            #expect(token["aud"] == "\(server.app.client)")
            #expect(token["nonce"] == "n-1")
            #expect(token.number("iat") == now && token.number("exp") == now + 600)
            #expect(token.number("auth_time") == now && token.claims["amr"] as? [String] == ["pwd"])
            let half = Base64URL.encode(SHA256.hash(data: Data(access.utf8)).prefix(16))
            #expect(token["at_hash"] == half)
            #expect(token["email"] == nil && token["azp"] == nil && token["roles"] == nil)
            #expect(try ReadToken(access)["scope"] == "openid email profile")
        }
    }

    @Test func `its signature is by the key of its header`() async throws {
        try await running { server in
            let token = try #require(try await server.openIDTokens().field("id_token"))
            let parts = token.split(separator: ".").map(String.init)
            let signature = try P256.Signing.ECDSASignature(
                rawRepresentation: try #require(Base64URL.decode(parts[2].utf8)))
            let key = server.flows.signingKey.publicKey
            #expect(key.isValidSignature(signature, for: Data("\(parts[0]).\(parts[1])".utf8)))
            #expect(try ReadToken(token).header["kid"] as? String == "\(server.flows.signingKeyID)")
        }
    }

    @Test func `neither kind of token passes for the other`() async throws {
        try await running { server in
            let answer = try await server.openIDTokens()
            let idToken = try #require(answer.field("id_token"))
            #expect(try await server.me(idToken).problem == .invalidAccessToken)
            #expect(try await server.userInfo(idToken).field("error") == "invalid_token")
        }
    }

    @Test func `without openid there is no ID token, and unknown scopes are passed over`() async throws {
        try await running { server in
            let cases: [(String, String?)] = [("email", "email"), ("files admin", nil), ("", nil)]
            for (asked, granted) in cases {
                let answer = try await server.openIDTokens(scope: asked)
                #expect(answer.status == 200)
                #expect(answer.field("id_token") == nil && answer.field("scope") == granted, "\(asked)")
            }
            let some = try await server.openIDTokens(scope: "offline_access email openid openid")
            #expect(some.field("scope") == "openid email")
        }
    }

    static let nonces = [
        "n", "a b", "\"", "\\", "{\"a\":1}", "\u{1}\n\u{1F}", "ä€😀", "\u{7F}", String(repeating: "x", count: 500),
    ]

    @Test(arguments: nonces) func `a nonce comes back as it was sent, whatever is in it`(_ nonce: String) async throws {
        try await running { server in
            let token = try ReadToken(
                try #require(try await server.openIDTokens(scope: "openid", nonce: nonce).field("id_token")))
            #expect(token["nonce"].map { Array($0.utf8) } == Array(nonce.utf8))
        }
    }

    @Test func `a refresh gives another one without the nonce, and never more than was granted`() async throws {
        try await running { server in
            let first = try await server.openIDTokens(scope: "openid email")
            let refresh = try #require(first.field("refresh_token"))
            func exchange(_ scope: String, _ token: String) async throws -> HTTPResponse {
                try await server.issuer(
                    "token",
                    [
                        "grant_type": "refresh_token", "refresh_token": token, "client_id": "\(server.app.client)",
                        "scope": scope,
                    ])
            }
            server.app.clock.advance(by: .seconds(60))
            let wider = try await exchange("openid profile", refresh)
            #expect(wider.status == 400 && wider.field("error") == "invalid_scope")
            let second = try await exchange("openid", refresh)
            #expect(second.field("scope") == "openid", "\(second.text)")
            let (before, after) = (
                try ReadToken(try #require(first.field("id_token"))),
                try ReadToken(try #require(second.field("id_token")))
            )
            #expect(after["nonce"] == nil)
            for name in ["iss", "sub", "aud", "sid"] { #expect(after[name] == before[name]) }
            #expect(after.number("auth_time") == before.number("auth_time"))
            #expect(after.number("iat") == server.app.clock.now.seconds)
            // The grant stays what it was.
            let third = try await server.refresh(try #require(second.field("refresh_token")))
            #expect(third.field("scope") == "openid email")
        }
    }

    @Test func `a browser that is signed in already gets the time and the way of its sign-in`() async throws {
        try await running { server in
            let browser = TestBrowser(server)
            _ = try await server.browse(["scope": "openid"], in: browser)
            let signedInAt = server.app.clock.now.seconds
            server.app.clock.advance(by: .minutes(5))
            let silent = try await browser.open(server.authorizePath(["scope": "openid", "prompt": "none"]))
            let answer = try await server.exchange(try #require(silent.parameter("code"), "\(silent.text)"))
            let token = try ReadToken(try #require(answer.field("id_token")))
            #expect(token.number("auth_time") == signedInAt && token["nonce"] == nil)
            #expect(token.claims["amr"] as? [String] == ["pwd"])
        }
    }
}

import Curl
import GatepostModel
import TestSupport
import Testing

/// The attacks that RFC 9700 names, each at the routes themselves.
@Suite("Attacks on OAuth")
struct OAuthAttackTests {
    private static let otherVerifier = "another-verifier-of-somebody-else-with-enough-characters-0123456789"

    private func running(_ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await body(server)
        }
    }

    /// RFC 9700, section 4.5: a stolen code is put into the answer to the attacker's own browser.
    @Test func `code injection: a code of one sign-in is nothing with another's verifier, and stays its own`()
        async throws
    {
        try await running { server in
            let victim = try await server.browse(["scope": "openid", "nonce": "of-the-victim"])
            let code = try #require(victim.parameter("code"))

            let injected = try await server.exchange(code, verifier: Self.otherVerifier)
            #expect(injected.status == 400 && injected.field("error") == "invalid_grant")

            // And where the verifier leaked too, the ID token still says whose sign-in it was.
            let tokens = try await server.exchange(code)
            let idToken = try ReadToken(try #require(tokens.field("id_token")))
            #expect(idToken["nonce"] == "of-the-victim")
        }
    }

    /// RFC 9700, section 4.8.2: the challenge is taken out on the way, so that no verifier is asked for.
    @Test func `PKCE downgrade: without S256 nobody is asked to sign in, without a verifier nothing is exchanged`()
        async throws
    {
        try await running { server in
            for changes: [String: String?] in [
                ["code_challenge": nil, "code_challenge_method": nil], ["code_challenge": nil],
                ["code_challenge_method": nil], ["code_challenge_method": "plain"],
                ["code_challenge": TestFlows.codeVerifier, "code_challenge_method": "plain"],
            ] {
                let answer = try await TestBrowser(server).open(server.authorizePath(changes))
                #expect(answer.parameter("error") == "invalid_request", "\(changes)")
                #expect(answer.parameter("code") == nil)
            }
            let code = try #require(try await server.browse([:]).parameter("code"))
            for verifier in [nil, "", TestServer.challenge] {
                var form: [(String, String)] = [
                    ("grant_type", "authorization_code"), ("code", code), ("client_id", "\(server.app.client)"),
                    ("redirect_uri", TestFlows.redirectURI),
                ]
                if let verifier { form.append(("code_verifier", verifier)) }
                let body = form.map { "\($0)=\($1.replacing(":", with: "%3A").replacing("/", with: "%2F"))" }
                let answer = try await server.send(
                    "POST", "\(server.hosted)/oauth/token",
                    headers: ["Content-Type": "application/x-www-form-urlencoded"],
                    body: Array(body.joined(separator: "&").utf8))
                #expect(answer.status == 400, "\(verifier ?? "none")")
            }
            #expect(try await server.exchange(code).status == 200)
        }
    }

    /// RFC 9700, section 4.4, and RFC 9207: a client of two issuers is made to believe that the other one answered.
    @Test func `mix-up: code and error say which issuer answered, and its code is nothing at another`() async throws {
        try await running { server in
            let issuer = "\(TestFlows.baseURL)\(server.hosted)"
            let metadata = try await server.send("GET", "\(server.hosted)/.well-known/openid-configuration")
            #expect(metadata.field("issuer") == issuer)
            #expect(metadata.field("authorization_response_iss_parameter_supported") == "1")

            let answer = try await server.browse([:])
            #expect(answer.parameter("iss") == issuer)
            let error = try await TestBrowser(server).open(server.authorizePath(["prompt": "none"]))
            #expect(error.parameter("error") == "login_required" && error.parameter("iss") == issuer)

            let other = try await server.otherApp()
            let elsewhere = try await server.post(
                "/apps/\(other.id)/oauth/token",
                form: [
                    "grant_type": "authorization_code", "code": try #require(answer.parameter("code")),
                    "client_id": "\(other.client)", "redirect_uri": TestFlows.redirectURI,
                    "code_verifier": TestFlows.codeVerifier,
                ])
            #expect(elsewhere.field("error") == "invalid_grant")
        }
    }

    @Test func `a token of another app opens nothing, and is told of to nobody`() async throws {
        try await running { server in
            let tokens = try TestServer.Tokens(try await server.openIDTokens())
            let other = try await TestFlows.make(clock: server.app.clock)
            try await TestServer.running(flows: other) { foreign in
                #expect(try await foreign.me(tokens.access).problem == .invalidAccessToken)
                let info = try await foreign.userInfo(tokens.access)
                #expect(info.status == 401)
                #expect(try await foreign.refresh(tokens.refresh).field("error") == "invalid_grant")
                let client = try await foreign.confidentialClient()
                for token in [tokens.access, tokens.refresh] {
                    let told = try await foreign.issuer("introspect", ["token": token], authorization: client.basic)
                    #expect(told.text == #"{"active":false}"#)
                    let revoked = try await foreign.issuer("revoke", ["token": token], authorization: client.basic)
                    #expect(revoked.status == 200)
                }
            }
            #expect(try await server.me(tokens.access).status == 200)
            #expect(try await server.refresh(tokens.refresh).status == 200)
        }
    }

    @Test func `a token of another client is neither refreshed, told of nor revoked`() async throws {
        try await running { server in
            let tokens = try TestServer.Tokens(try await server.openIDTokens())
            let client = try await server.confidentialClient()
            let refreshed = try await server.issuer(
                "token", ["grant_type": "refresh_token", "refresh_token": tokens.refresh],
                authorization: client.basic)
            #expect(refreshed.field("error") == "invalid_grant")
            for token in [tokens.access, tokens.refresh] {
                let told = try await server.issuer("introspect", ["token": token], authorization: client.basic)
                #expect(told.text == #"{"active":false}"#)
                let revoked = try await server.issuer("revoke", ["token": token], authorization: client.basic)
                #expect(revoked.field("error") == "invalid_grant")
            }
            #expect(try await server.me(tokens.access).status == 200)
            #expect(try await server.refresh(tokens.refresh).status == 200)
        }
    }

    @Test func `a token of a deactivated user opens nothing, is not refreshed, and is told to be dead`() async throws {
        try await running { server in
            let client = try await server.confidentialClient()
            let answer = try await server.browse(["client_id": "\(client.id)", "scope": "openid"])
            let tokens = try TestServer.Tokens(
                try await server.issuer(
                    "token",
                    [
                        "grant_type": "authorization_code", "code": try #require(answer.parameter("code")),
                        "redirect_uri": TestFlows.redirectURI, "code_verifier": TestFlows.codeVerifier,
                    ], authorization: client.basic))
            let waiting = try await server.code(for: client.id)

            try await server.deactivateEverybody()

            #expect(try await server.me(tokens.access).status == 401)
            #expect(try await server.userInfo(tokens.access).status == 401)
            for form: KeyValuePairs in [
                ["grant_type": "refresh_token", "refresh_token": tokens.refresh],
                [
                    "grant_type": "authorization_code", "code": waiting, "redirect_uri": TestFlows.redirectURI,
                    "code_verifier": TestFlows.codeVerifier,
                ],
            ] {
                let refused = try await server.issuer("token", form, authorization: client.basic)
                #expect(refused.field("error") == "invalid_grant", "\(refused.text)")
            }
            for token in [tokens.access, tokens.refresh] {
                let told = try await server.issuer("introspect", ["token": token], authorization: client.basic)
                #expect(told.text == #"{"active":false}"#)
            }
        }
    }
}

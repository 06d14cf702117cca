import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Revocation and introspection")
struct TokenStateTests {
    /// A server with a user, a confidential client and tokens of its own.
    private func running(
        _ body: (TestServer, ConfidentialClient, TestServer.Tokens) async throws -> Void
    ) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let client = try await server.confidentialClient()
            try await body(server, client, try await tokens(server, client))
        }
    }

    private func tokens(_ server: TestServer, _ client: ConfidentialClient) async throws -> TestServer.Tokens {
        try TestServer.Tokens(
            try await server.issuer(
                "token",
                [
                    "grant_type": "authorization_code", "code": try await server.code(for: client.id),
                    "redirect_uri": TestFlows.redirectURI, "code_verifier": TestFlows.codeVerifier,
                ], authorization: client.basic))
    }

    private func introspect(
        _ token: String, _ server: TestServer, _ client: ConfidentialClient
    ) async throws -> HTTPResponse {
        try await server.issuer("introspect", ["token": token], authorization: client.basic)
    }

    private static let dead = #"{"active":false}"#

    @Test func `revoking either token ends the session, at once and for both`() async throws {
        try await running { server, client, first in
            let second = try await tokens(server, client)
            for (token, pair) in [(first.refresh, first), (second.access, second)] {
                #expect(try await server.me(pair.access).status == 200)
                let answer = try await server.issuer("revoke", ["token": token], authorization: client.basic)
                #expect(answer.status == 200 && answer.body.isEmpty, "\(answer.text)")
                #expect(try await server.me(pair.access).problem == .sessionEnded)
                #expect(try await introspect(pair.refresh, server, client).text == Self.dead)
                let refreshed = try await server.issuer(
                    "token", ["grant_type": "refresh_token", "refresh_token": pair.refresh],
                    authorization: client.basic)
                #expect(refreshed.field("error") == "invalid_grant")
                // Once more is once more: nothing is left to end.
                #expect(
                    try await server.issuer("revoke", ["token": token], authorization: client.basic).status == 200)
            }
            #expect(try await server.events().count { $0 == "session.ended token_revoked" } == 2)
        }
    }

    @Test func `an unknown token is revoked already, and another client's is not`() async throws {
        try await running { server, client, tokens in
            let unknown = ["", "x", "x.y.z", "grt_" + String(repeating: "A", count: 43), client.secret]
            for token in unknown.dropFirst() {
                let answer = try await server.issuer(
                    "revoke", ["token": token, "token_type_hint": "access_token"], authorization: client.basic)
                #expect(answer.status == 200 && answer.body.isEmpty)
            }
            let missing = try await server.issuer("revoke", ["token": ""], authorization: client.basic)
            #expect(missing.field("error") == "invalid_request")
            for token in [tokens.access, tokens.refresh] {
                let foreign = try await server.issuer("revoke", ["token": token, "client_id": "\(server.app.client)"])
                #expect(foreign.status == 400 && foreign.field("error") == "invalid_grant")
                let nobody = try await server.issuer("revoke", ["token": token, "client_id": "\(client.id)"])
                #expect(nobody.status == 401 && nobody.field("error") == "invalid_client")
            }
            #expect(try await server.me(tokens.access).status == 200)
        }
    }

    @Test func `a public client revokes its own tokens by its id`() async throws {
        try await running { server, _, _ in
            let tokens = try await server.session()
            let answer = try await server.issuer(
                "revoke", ["token": tokens.refresh, "client_id": "\(server.app.client)"])
            #expect(answer.status == 200)
            #expect(try await server.me(tokens.access).problem == .sessionEnded)
        }
    }

    @Test func `a token that lives is told of by its claims`() async throws {
        try await running { server, client, tokens in
            let access = try await introspect(tokens.access, server, client)
            let read = try ReadToken(tokens.access)
            #expect(access.field("active") == "1" && access.field("token_type") == "Bearer", "\(access.text)")
            for name in ["sub", "sid", "jti", "iss", "aud", "client_id"] {
                #expect(access.field(name) == read[name] && access.field(name) != nil, "\(name)")
            }
            #expect(access.field("exp") == "\(server.app.clock.now.seconds + 600)")
            let refresh = try await introspect(tokens.refresh, server, client)
            #expect(refresh.field("active") == "1" && refresh.field("client_id") == "\(client.id)")
            #expect(refresh.field("sub") == read["sub"] && refresh.field("token_type") == nil)
            #expect(access.header("Cache-Control") == "no-store")
        }
    }

    @Test func `of what is not alive, or not its own, a client learns nothing but that`() async throws {
        try await running { server, client, tokens in
            let other = try await server.confidentialClient()
            for token in [tokens.access, tokens.refresh] {
                #expect(try await introspect(token, server, other).text == Self.dead)
            }
            for token in ["x", "x.y.z", client.secret, "grt_" + String(repeating: "A", count: 43)] {
                #expect(try await introspect(token, server, client).text == Self.dead)
            }
            let idToken = try #require(try await server.openIDTokens().field("id_token"))
            #expect(try await introspect(idToken, server, client).text == Self.dead)
            // A refresh token that was exchanged is none any more.
            let next = try await server.issuer(
                "token", ["grant_type": "refresh_token", "refresh_token": tokens.refresh], authorization: client.basic)
            #expect(next.status == 200)
            #expect(try await introspect(tokens.refresh, server, client).text == Self.dead)
            #expect(try await introspect(tokens.access, server, client).field("active") == "1")
            server.app.clock.advance(by: .seconds(600))
            #expect(try await introspect(tokens.access, server, client).text == Self.dead)
        }
    }

    @Test func `a deactivated user and an ended session are dead at once`() async throws {
        try await running { server, client, first in
            let second = try await tokens(server, client)
            let path = "\(server.api)/sessions/current"
            #expect(
                try await server.send("DELETE", path, headers: ["Authorization": "Bearer \(first.access)"]).status
                    == 204)
            for token in [first.access, first.refresh] {
                #expect(try await introspect(token, server, client).text == Self.dead)
            }
            #expect(try await introspect(second.access, server, client).field("active") == "1")
            try await server.deactivateEverybody()
            for token in [second.access, second.refresh] {
                #expect(try await introspect(token, server, client).text == Self.dead)
            }
        }
    }

    @Test func `a public client may not ask, nor somebody without a proof`() async throws {
        try await running { server, client, tokens in
            for id in [server.app.client, client.id] {
                let answer = try await server.issuer("introspect", ["token": tokens.access, "client_id": "\(id)"])
                #expect(answer.status == 401 && answer.field("error") == "invalid_client")
                #expect(!answer.text.contains("active"))
            }
            let query = try await server.post(
                "\(server.hosted)/oauth/introspect?token=\(tokens.access)", form: ["token": tokens.access],
                headers: ["Authorization": client.basic])
            #expect(query.field("error") == "invalid_request")
        }
    }

    @Test func `thirty-two racing revocations end one session once`() async throws {
        try await running { server, client, tokens in
            let statuses = try await race(32) {
                try await server.issuer("revoke", ["token": tokens.refresh], authorization: client.basic).status
            }
            #expect(statuses.allSatisfy { $0 == 200 })
            #expect(try await server.events().count { $0 == "session.ended token_revoked" } == 1)
        }
    }
}

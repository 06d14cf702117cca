import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Token endpoint: client credentials")
struct ClientCredentialsTests {
    private func running(_ body: (TestServer, ConfidentialClient, HTTPResponse) async throws -> Void) async throws {
        try await TestServer.running { server in
            let client = try await server.confidentialClient()
            let answer = try await server.issuer(
                "token", ["grant_type": "client_credentials"], authorization: client.basic)
            try await body(server, client, answer)
        }
    }

    @Test func `a server that proves who it is gets a token that says so, and nothing to refresh`() async throws {
        try await running { server, client, answer in
            #expect(answer.status == 200 && answer.field("refresh_token") == nil, "\(answer.text)")
            #expect(answer.field("token_type") == "Bearer" && answer.field("expires_in") == "600")
            let token = try ReadToken(try #require(answer.field("access_token")))
            #expect(token.header["typ"] as? String == "at+jwt")
            #expect(token["sub"] == "\(client.id)" && token["client_id"] == "\(client.id)")
            #expect(token["aud"] == "\(server.app.id)" && token["sid"] == nil && token["jti"] != nil)
            #expect(token["iss"] == "\(TestFlows.baseURL)\(server.hosted)")
            #expect(try await server.events().last == "client_token.issued")
        }
    }

    @Test func `it opens nothing that is a user's`() async throws {
        try await running { server, _, answer in
            let token = try #require(answer.field("access_token"))
            #expect(try await server.me(token).problem == .invalidAccessToken)
            #expect(try await server.userInfo(token).field("error") == "invalid_token")
            #expect(try await server.admin("GET", "/v1/admin/apps", key: token).status == 401)
        }
    }

    @Test func `it lives until its time, and can be looked at but not revoked`() async throws {
        try await running { server, client, answer in
            let token = try #require(answer.field("access_token"))
            func look(_ form: KeyValuePairs<String, String>, _ endpoint: String) async throws -> HTTPResponse {
                try await server.issuer(endpoint, form, authorization: client.basic)
            }
            let living = try await look(["token": token], "introspect")
            #expect(living.field("active") == "1" && living.field("sub") == "\(client.id)", "\(living.text)")
            #expect(living.field("sid") == nil)
            let other = try await server.confidentialClient()
            let foreign = try await server.issuer("introspect", ["token": token], authorization: other.basic)
            #expect(foreign.text == #"{"active":false}"#)
            let revoked = try await look(["token": token], "revoke")
            #expect(revoked.status == 400 && revoked.field("error") == "unsupported_token_type")
            server.app.clock.advance(by: .seconds(600))
            #expect(try await look(["token": token], "introspect").text == #"{"active":false}"#)
        }
    }

    @Test func `a public client gets none, nor one without proof, and no scope is granted`() async throws {
        try await running { server, client, _ in
            let open = try await server.issuer(
                "token", ["grant_type": "client_credentials", "client_id": "\(server.app.client)"])
            #expect(open.status == 400 && open.field("error") == "unauthorized_client")
            let unproven = try await server.issuer(
                "token", ["grant_type": "client_credentials", "client_id": "\(client.id)"])
            #expect(unproven.field("error") == "invalid_client")
            let scoped = try await server.issuer(
                "token", ["grant_type": "client_credentials", "scope": "openid"], authorization: client.basic)
            #expect(scoped.status == 400 && scoped.field("error") == "invalid_scope")
        }
    }
}

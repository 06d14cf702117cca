import Curl
import GatepostModel
import TestSupport
import Testing

/// A token says where its client is a third party's, so that an app's API can tell it from the app's own.
///
/// Story: `aud` is the app whoever the client is, so a third party's server sent what it had got to the app's API, a
/// user's token or its own of `client_credentials`, and the API took it for the app's.
@Suite("Tokens of third parties")
struct PartyClaimTests {
    /// A confidential client of a third party's.
    private func third(_ server: TestServer) async throws -> ConfidentialClient {
        let client = try await server.confidentialClient()
        try await server.change(client.id, #"{"party": "third_party"}"#)
        return client
    }

    private func ownToken(_ server: TestServer, _ client: ConfidentialClient) async throws -> String {
        let answer = try await server.issuer(
            "token", ["grant_type": "client_credentials"], authorization: client.basic)
        return try #require(answer.field("access_token"), "\(answer.text)")
    }

    @Test func `a user's token says that its client is a third party's, a refreshed one too`() async throws {
        try await ThirdParty.running { other in
            let code = try await other.allow(["scope": "openid email"], in: TestBrowser(other.server))
            let answer = try await other.tokens(code)
            let first = try ReadToken(try #require(answer.field("access_token"), "\(answer.text)"))
            #expect(first["party"] == "third_party" && first["aud"] == "\(other.server.app.id)")
            // The ID token is for the client, which knows who it is.
            #expect(try ReadToken(try #require(answer.field("id_token")))["party"] == nil)
            let next = try await other.server.issuer(
                "token",
                [
                    "grant_type": "refresh_token", "client_id": "\(other.id)",
                    "refresh_token": try #require(answer.field("refresh_token")),
                ])
            #expect(try ReadToken(try #require(next.field("access_token"), "\(next.text)"))["party"] == "third_party")
        }
    }

    @Test func `a client's own token says it, and those of the app's own clients say nothing`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            #expect(try ReadToken(try await ownToken(server, try await third(server)))["party"] == "third_party")
            let own = try await server.confidentialClient()
            #expect(try ReadToken(try await ownToken(server, own))["party"] == nil)
            #expect(try ReadToken(try await server.session().access)["party"] == nil)
        }
    }

    @Test func `introspection says it of every token of such a client`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let client = try await third(server)
            let token = try await ownToken(server, client)
            let living = try await server.issuer("introspect", ["token": token], authorization: client.basic)
            #expect(living.field("active") == "1" && living.field("party") == "third_party", "\(living.text)")
            let own = try await server.confidentialClient()
            let plain = try await server.issuer(
                "introspect", ["token": try await ownToken(server, own)], authorization: own.basic)
            #expect(plain.field("active") == "1" && plain.field("party") == nil, "\(plain.text)")
            let dead = try await server.issuer("introspect", ["token": "x"], authorization: client.basic)
            #expect(dead.text == #"{"active":false}"#)
        }
    }

    @Test func `no custom claim says it in Gatepost's place, not even one that is noted already`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let user = try #require(try await server.me(try await server.session().access).field("user.id"))
            let noted = try await server.admin(
                "PUT", "\(server.adminAPI)/users/\(user)/claims", key: try await server.apiKey(.admin),
                json: #"{"claims": {"party": "first_party"}}"#)
            #expect(noted.problem == .invalidRequest, "\(noted.text)")
            let told = try await server.admin(
                "PATCH", server.adminAPI, key: try await server.apiKey(.admin),
                json: #"{"settings": {"token_claims": {"party": ["access_token"]}}}"#)
            #expect(told.problem == .invalidRequest, "\(told.text)")
        }
        let noted = try CustomClaims(json: #"{"party": "first_party", "plan": "gold"}"#)
        var settings = AppSettings()
        settings.tokenClaims = ["party": [.accessToken], "plan": [.accessToken]]
        #expect(noted.told(in: .accessToken, by: settings).members == #","plan":"gold""#)
    }
}

import Curl
import GatepostModel
import TestSupport
import Testing

/// What a client calls a user that is not to be told apart with others (OpenID Connect Core, section 8.1).
@Suite("Pairwise subjects")
struct PairwiseTests {
    /// A server with a verified user, and a confidential client that knows users by pairwise subjects.
    private func running(_ body: (TestServer, ConfidentialClient) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let client = try await server.confidentialClient()
            try await server.change(client.id, #"{"subject_type": "pairwise"}"#)
            try await body(server, client)
        }
    }

    /// A sign-in for a client, to its tokens.
    private func tokens(
        _ server: TestServer, _ client: ConfidentialClient, redirectURI: String = TestFlows.redirectURI,
        email: String = "ada@example.com"
    ) async throws -> HTTPResponse {
        let asked = ["client_id": "\(client.id)", "scope": "openid email", "redirect_uri": redirectURI]
        let answer = try await server.browse(asked, email: email)
        return try await server.issuer(
            "token",
            [
                "grant_type": "authorization_code", "code": try #require(answer.parameter("code"), "\(answer.text)"),
                "redirect_uri": redirectURI, "code_verifier": TestFlows.codeVerifier,
            ], authorization: client.basic)
    }

    private func subject(_ tokens: HTTPResponse) throws -> String {
        let idToken = try #require(tokens.field("id_token"), "\(tokens.text)")
        return try #require(try ReadToken(idToken)["sub"])
    }

    @Test func `all that a client is told calls a user the same, and nothing says their id`() async throws {
        try await running { server, client in
            let answer = try await tokens(server, client)
            let (access, refresh) = (
                try #require(answer.field("access_token")), try #require(answer.field("refresh_token"))
            )
            let subject = try subject(answer)
            #expect(subject.utf8.count == 43 && !subject.hasPrefix("usr_"))
            #expect(try ReadToken(access)["sub"] == subject)
            #expect(try await server.userInfo(access).field("sub") == subject)
            for token in [access, refresh] {
                let told = try await server.issuer("introspect", ["token": token], authorization: client.basic)
                #expect(told.field("sub") == subject && told.field("active") == "1", "\(told.text)")
            }
            let next = try await server.issuer(
                "token", ["grant_type": "refresh_token", "refresh_token": refresh], authorization: client.basic)
            #expect(try self.subject(next) == subject)
            #expect(try self.subject(try await tokens(server, client)) == subject, "at the next sign-in, too")
            // The account's own routes would tell the id.
            #expect(try await server.me(access).problem == .permissionDenied)
            let user = try #require(try await server.me(try await server.session().access).field("user.id"))
            for text in [access, try #require(answer.field("id_token"))] {
                let claims = try ReadToken(text).claims
                #expect(!claims.values.contains { "\($0)".contains(user) })
            }
        }
    }

    @Test func `clients of one host know a user alike, of another host and of another app they do not`() async throws {
        try await running { server, client in
            let mine = try subject(try await tokens(server, client))
            let twin = try await server.confidentialClient(name: "Twin")
            try await server.change(twin.id, #"{"subject_type": "pairwise"}"#)
            #expect(try subject(try await tokens(server, twin)) == mine)

            let elsewhere = "https://elsewhere.example/callback"
            let other = try await server.confidentialClient(name: "Other")
            try await server.change(
                other.id, #"{"subject_type": "pairwise", "redirect_uris": ["\#(elsewhere)"]}"#)
            let theirs = try subject(try await tokens(server, other, redirectURI: elsewhere))
            #expect(theirs != mine && theirs.utf8.count == 43)

            try await server.verifiedUser("eve@example.com")
            #expect(try subject(try await tokens(server, client, email: "eve@example.com")) != mine)

            let secrets = try await server.texts("select encode(secret_sealed, 'hex') as text from subject_secrets")
            #expect(secrets.count == 1, "one an app, however many clients")
        }
    }

    @Test func `another host is a conflict until somebody means it`() async throws {
        try await running { server, client in
            let key = try await server.apiKey(.admin)
            func change(_ json: String) async throws -> HTTPResponse {
                try await server.admin("PATCH", "\(server.adminAPI)/clients/\(client.id)", key: key, json: json)
            }
            let before = try subject(try await tokens(server, client))
            for uris in [
                #"["https://new.example/callback"]"#, "[]",
                #"["https://new.example/callback", "\#(TestFlows.redirectURI)"]"#,
            ] {
                #expect(try await change(#"{"redirect_uris": \#(uris)}"#).problem == .conflict, "\(uris)")
            }
            let same = #"["\#(TestFlows.redirectURI)", "https://app.example/other"]"#
            #expect(try await change(#"{"redirect_uris": \#(same)}"#).status == 200, "one host still")
            #expect(try subject(try await tokens(server, client)) == before)
            let shown = try await change(#"{"subject_type": "public"}"#)
            #expect(shown.field("subject_type") == "public")
            #expect(try subject(try await tokens(server, client)).hasPrefix("usr_"))
            #expect(try await change(#"{"subject_type": "pairwise"}"#).field("subject_type") == "pairwise")
            #expect(try subject(try await tokens(server, client)) == before, "back to what they were called")

            let several = try await server.admin(
                "POST", "\(server.adminAPI)/clients", key: key,
                json: #"{"name": "N", "type": "public", "subject_type": "pairwise", "redirect_uris": []}"#)
            #expect(several.problem == .conflict)
        }
    }

    @Test func `a hint with a pairwise subject names its user, at the authorize endpoint and at logout`() async throws {
        try await running { server, client in
            let browser = TestBrowser(server)
            let asked = ["client_id": "\(client.id)", "scope": "openid", "prompt": "none"]
            let code = try await server.browse(["client_id": "\(client.id)", "scope": "openid"], in: browser)
            let tokens = try await server.issuer(
                "token",
                [
                    "grant_type": "authorization_code", "code": try #require(code.parameter("code"), "\(code.text)"),
                    "redirect_uri": TestFlows.redirectURI, "code_verifier": TestFlows.codeVerifier,
                ], authorization: client.basic)
            let hint = try #require(tokens.field("id_token"))
            try await server.verifiedUser("eve@example.com")
            let eve = try await self.tokens(server, client, email: "eve@example.com")
            let other = try #require(eve.field("id_token"))

            func silent(_ hint: String) async throws -> HTTPResponse {
                try await browser.open(server.authorizePath(asked.merging(["id_token_hint": hint]) { $1 }))
            }
            #expect(try await silent(hint).parameter("code") != nil)
            #expect(try await silent(other).parameter("error") == "login_required")
            let wrong = try await browser.open("\(server.hosted)/oauth/logout?id_token_hint=\(other)")
            #expect(wrong.location == "\(server.hosted)/sign-out")
            #expect(try await browser.open("\(server.hosted)/account").status == 200, "still signed in")
            // What the session was that the hint was told with is forgotten some day.
            try await server.tamper("delete from sessions where app_id = \(server.sqlID) and client_id is not null")
            #expect(try await silent(hint).parameter("error") == "login_required")
            _ = try await browser.open("\(server.hosted)/oauth/logout?id_token_hint=\(hint)")
            #expect(try await browser.open("\(server.hosted)/account").status == 303, "signed out at once")
        }
    }

    @Test func `a token of another client's is none of this one's business`() async throws {
        try await running { server, client in
            let twin = try await server.confidentialClient(name: "Twin")
            try await server.change(twin.id, #"{"subject_type": "pairwise"}"#)
            let access = try #require(try await tokens(server, client).field("access_token"))
            let told = try await server.issuer("introspect", ["token": access], authorization: twin.basic)
            #expect(told.text == #"{"active":false}"#)
            let revoked = try await server.issuer("revoke", ["token": access], authorization: twin.basic)
            #expect(revoked.field("error") == "invalid_grant")
            #expect(try await server.issuer("revoke", ["token": access], authorization: client.basic).status == 200)
            #expect(try await server.userInfo(access).field("error") == "invalid_token")
        }
    }
}

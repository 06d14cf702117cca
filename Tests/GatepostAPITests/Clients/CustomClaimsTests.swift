import Curl
import Foundation
import GatepostModel
import TestSupport
import Testing

/// What admins note about users, in the tokens in which the app wants it.
@Suite("Custom claims")
struct CustomClaimsTests {
    /// A server whose app tells what it is set to tell, and a user of it about whom something is noted.
    private func running(
        telling told: String, _ claims: String, _ body: (TestServer, _ user: String) async throws -> Void
    ) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let user = try #require(try await server.me(try await server.session().access).field("user.id"))
            let settings = #"{"settings": {"token_claims": \#(told)}}"#
            let key = try await server.apiKey(.admin)
            let changed = try await server.admin("PATCH", server.adminAPI, key: key, json: settings)
            #expect(changed.status == 200, "\(changed.text)")
            let noted = try await note(claims, about: user, server)
            #expect(noted.status == 200, "\(noted.text)")
            try await body(server, user)
        }
    }

    private func note(_ claims: String, about user: String, _ server: TestServer) async throws -> HTTPResponse {
        try await server.admin(
            "PUT", "\(server.adminAPI)/users/\(user)/claims", key: try await server.apiKey(.admin),
            json: #"{"claims": \#(claims)}"#)
    }

    private static let all = #"["access_token", "id_token", "userinfo"]"#
    private static let claims = #"""
        {"plan": "pro \"gold\" \\ ä😀", "seats": 9007199254740992, "beta": true, "teams": ["a", "b/c"], "secret": "x"}
        """#

    @Test func `each is told where the app wants it, and nowhere else`() async throws {
        let told = #"""
            {"plan": \#(Self.all), "seats": ["access_token"], "beta": ["id_token"], "teams": ["userinfo"]}
            """#
        try await running(telling: told, Self.claims) { server, _ in
            let answer = try await server.openIDTokens()
            let access = try #require(answer.field("access_token"))
            let (token, idToken) = (
                try ReadToken(access), try ReadToken(try #require(answer.field("id_token"), "\(answer.text)"))
            )
            let userInfo = try await server.userInfo(access)
            for told in [token["plan"], idToken["plan"], userInfo.field("plan")] {
                #expect(told == "pro \"gold\" \\ ä😀")
            }
            #expect(token.number("seats") == 9_007_199_254_740_992 && idToken["seats"] == nil)
            #expect(idToken.claims["beta"] as? Bool == true && token.claims["beta"] == nil)
            #expect(userInfo.text.contains(#""teams":["a","b/c"]"#) || userInfo.text.contains(#""teams":["a","b\/c"]"#))
            for text in [userInfo.text, "\(token.claims)", "\(idToken.claims)"] { #expect(!text.contains("secret")) }
            // It is taken as a token of ours, also where we read it.
            #expect(try await server.me(access).status == 200)
        }
    }

    @Test func `a change is in the next token, a refreshed one too`() async throws {
        try await running(telling: #"{"plan": \#(Self.all)}"#, #"{"plan": "free"}"#) { server, user in
            let first = try TestServer.Tokens(try await server.openIDTokens())
            #expect(try ReadToken(first.access)["plan"] == "free")
            #expect(try await note(#"{"plan": "pro"}"#, about: user, server).field("claims.plan") == "pro")
            let second = try await server.refresh(first.refresh)
            #expect(try ReadToken(try #require(second.field("access_token")))["plan"] == "pro")
            #expect(try ReadToken(try #require(second.field("id_token")))["plan"] == "pro")
            #expect(try await note("{}", about: user, server).status == 200)
            let third = try await server.refresh(try #require(second.field("refresh_token")))
            #expect(try ReadToken(try #require(third.field("access_token")))["plan"] == nil)
            let noted = try await server.texts(
                "select details::text as text from audit_events where kind = 'user.claims_changed' order by id")
            #expect(noted.count == 3 && !noted.joined().contains("pro"), "\(noted)")
        }
    }

    @Test func `userinfo and a client of somebody else's are told within the scope profile only`() async throws {
        try await running(telling: #"{"plan": \#(Self.all)}"#, #"{"plan": "pro"}"#) { server, _ in
            let answer = try await server.openIDTokens(scope: "openid email")
            let access = try #require(answer.field("access_token"))
            #expect(try ReadToken(access)["plan"] == "pro", "the app's own client")
            #expect(try await server.userInfo(access).field("plan") == nil)

            let other = ThirdParty(server: server, id: try await server.anotherClient())
            try await server.change(other.id, #"{"party": "third_party"}"#)
            for (scope, isTold) in [("openid email", false), ("openid profile", true)] {
                let tokens = try await other.tokens(other.allow(["scope": scope], in: TestBrowser(server)))
                for name in ["access_token", "id_token"] {
                    let token = try ReadToken(try #require(tokens.field(name)))
                    #expect((token["plan"] == "pro") == isTold, "\(scope) \(name)")
                }
                let refreshed = try await server.refresh(try #require(tokens.field("refresh_token")), client: other.id)
                #expect((try ReadToken(try #require(refreshed.field("access_token")))["plan"] == "pro") == isTold)
            }
        }
    }

    @Test func `roles are told where the app wants them`() async throws {
        try await running(telling: #"{"roles": ["access_token"]}"#, "{}") { server, user in
            let key = try await server.apiKey(.admin)
            _ = try await server.admin(
                "PATCH", server.adminAPI, key: key, json: #"{"settings": {"roles_in_tokens": true}}"#)
            server.app.clock.advance(by: .seconds(2))
            let role = try await server.makeRole("editor", ["documents:write"], key: key)
            _ = try await server.admin("PUT", "\(server.adminAPI)/users/\(user)/roles/\(role)", key: key, json: "{}")
            let answer = try await server.openIDTokens()
            let access = try #require(answer.field("access_token"))
            #expect(try ReadToken(access).claims["roles"] as? [String] == ["editor"], "\(answer.text)")
            #expect(try ReadToken(try #require(answer.field("id_token"))).claims["roles"] == nil)
            #expect(try await !server.userInfo(access).text.contains("roles"))
        }
    }

    static let refused = [
        #"{"sub": "usr_x"}"#, #"{"iss": "x"}"#, #"{"exp": 1}"#, #"{"roles": ["owner"]}"#, #"{"scope": "all"}"#,
        #"{"email": "a@b.example"}"#, #"{"email_verified": true}"#, #"{"client_id": "x"}"#, #"{"act": "x"}"#,
        #"{"cnf": "x"}"#, #"{"amr": ["mfa"]}"#, #"{"acr": "2"}"#, #"{"Plan": "x"}"#, #"{"": "x"}"#, #"{"a-b": "x"}"#,
        #"{"a": 1.5}"#, #"{"a": null}"#, #"{"a": {"b": 1}}"#, #"{"a": [1]}"#, #"{"a": 9007199254740993}"#,
        #"{"a": "\u0007"}"#, #"{"a": "\#(String(repeating: "x", count: 1024))"}"#,
        "{\((0...CustomClaims.countMax).map { "\"a\($0)\": 1" }.joined(separator: ","))}",
        #"{"\#(String(repeating: "a", count: 41))": 1}"#,
    ]

    @Test func `a reserved name, another kind of value and too much are refused`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let user = try #require(try await server.me(try await server.session().access).field("user.id"))
            for claims in Self.refused {
                let answer = try await note(claims, about: user, server)
                #expect((400..<500).contains(answer.status), "\(claims): \(answer.text)")
                #expect(try await server.texts("select claims::text as text from users") == ["{}"], "\(claims)")
            }
        }
    }

    @Test func `a setting that names what cannot be told is refused, and support may not note anything`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let user = try #require(try await server.me(try await server.session().access).field("user.id"))
            let key = try await server.apiKey(.admin)
            for told in [
                #"{"sub": ["id_token"]}"#, #"{"plan": ["cookie"]}"#, #"{"plan": ["id_token", "id_token"]}"#,
                #"["plan"]"#,
            ] {
                let answer = try await server.admin(
                    "PATCH", server.adminAPI, key: key, json: #"{"settings": {"token_claims": \#(told)}}"#)
                #expect((400..<500).contains(answer.status), "\(told) \(answer.text)")
            }
            let answer = try await server.admin(
                "PUT", "\(server.adminAPI)/users/\(user)/claims", key: try await server.apiKey(.support),
                json: #"{"claims": {"plan": "pro"}}"#)
            #expect(answer.problem == .permissionDenied)
        }
    }

    /// All roles and permissions that there can be, beside all claims: what our own verifier reads, and a header holds.
    @Test func `a token with all that there can be is still read`() async throws {
        let long = String(repeating: "y", count: CustomClaims.bytesMax - 20)
        try await running(telling: #"{"plan": \#(Self.all)}"#, #"{"plan": "\#(long)"}"#) { server, user in
            let key = try await server.apiKey(.admin)
            _ = try await server.admin(
                "PATCH", server.adminAPI, key: key, json: #"{"settings": {"roles_in_tokens": true}}"#)
            server.app.clock.advance(by: .seconds(2))
            for number in 0..<RoleContent.rolesOfUserMax {
                let name = "r\(number)" + String(repeating: "x", count: 36)
                let permission = number == 0 ? (0..<30).map { "p\($0)" + String(repeating: "z", count: 60) } : []
                let role = try await server.makeRole(name, permission, key: key)
                let given = try await server.admin(
                    "PUT", "\(server.adminAPI)/users/\(user)/roles/\(role)", key: key, json: "{}")
                #expect(given.status < 300, "\(given.text)")
            }
            let answer = try await server.openIDTokens()
            let access = try #require(answer.field("access_token"))
            #expect(access.utf8.count > 5000, "\(access.utf8.count)")
            #expect(try await server.me(access).status == 200)
            #expect(try await server.userInfo(access).status == 200)
        }
    }
}

import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Userinfo")
struct UserInfoTests {
    private func running(_ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await body(server)
        }
    }

    @Test func `it says what the scope asks for, and sub always`() async throws {
        try await running { server in
            for (scope, hasEmail) in [("openid", false), ("openid email", true), ("openid profile", false)] {
                let tokens = try await server.openIDTokens(scope: scope)
                let answer = try await server.userInfo(try #require(tokens.field("access_token")))
                #expect(answer.status == 200 && answer.header("Cache-Control") == "no-store", "\(answer.text)")
                let idToken = try ReadToken(try #require(tokens.field("id_token")))
                #expect(answer.field("sub") == idToken["sub"])
                #expect(answer.field("email") == (hasEmail ? "ada@example.com" : nil))
                #expect(answer.field("email_verified") == (hasEmail ? "1" : nil))
                #expect(answer.field("roles") == nil)
            }
        }
    }

    @Test func `roles come with profile where the app's setting says so`() async throws {
        try await running { server in
            let key = try await server.apiKey(.admin)
            let settings = #"{"settings": {"roles_in_tokens": true}}"#
            #expect(try await server.admin("PATCH", server.adminAPI, key: key, json: settings).status == 200)
            let role = try await server.makeRole("editor", ["documents:write"], key: key)
            let tokens = try await server.openIDTokens()
            let access = try #require(tokens.field("access_token"))
            let user = try #require(try await server.userInfo(access).field("sub"))
            let put = try await server.admin(
                "PUT", "\(server.adminAPI)/users/\(user)/roles/\(role)", key: key, json: "{}")
            #expect(put.status < 300, "\(put.text)")
            // What is known now, and not when the token was issued.
            let text = try await server.userInfo(access).text
            #expect(
                text.contains(#""roles":["editor"]"#) && text.contains(#""permissions":["documents:write"]"#), "\(text)"
            )
            let id = try ReadToken(try #require(try await server.openIDTokens().field("id_token")))
            #expect(id.claims["roles"] as? [String] == ["editor"])
        }
    }

    @Test func `the token travels in the header or in a form, in one of them, and never in the address`() async throws {
        try await running { server in
            let access = try #require(try await server.openIDTokens().field("access_token"))
            let path = "\(server.hosted)/oauth/userinfo"
            let bearer: KeyValuePairs = ["Authorization": "Bearer \(access)"]
            #expect(try await server.send("POST", path, headers: bearer).status == 200)
            #expect(try await server.post(path, form: ["access_token": access]).status == 200)
            let both = try await server.post(path, form: ["access_token": access], headers: bearer)
            #expect(both.status == 400 && both.field("error") == "invalid_request")
            let query = try await server.send("GET", "\(path)?access_token=\(access)")
            #expect(query.status == 400 && query.field("error") == "invalid_request")
            #expect(!server.logs.all.joined().contains(access))
        }
    }

    @Test func `what is refused is refused in the form of RFC 6750`() async throws {
        try await running { server in
            let path = "\(server.hosted)/oauth/userinfo"
            let missing = try await server.send("GET", path)
            #expect(missing.status == 401 && missing.header("WWW-Authenticate") == #"Bearer realm="gatepost""#)
            let basic = try await server.send("GET", path, headers: ["Authorization": "Basic Og=="])
            #expect(basic.status == 401 && basic.header("WWW-Authenticate") == #"Bearer realm="gatepost""#)
            let bad = try await server.userInfo("x.y.z")
            #expect(bad.status == 401 && bad.field("error") == "invalid_token")
            #expect(bad.header("WWW-Authenticate") == #"Bearer realm="gatepost", error="invalid_token""#)
            let plain = try await server.userInfo(try await server.session().access)
            #expect(plain.status == 403 && plain.field("error") == "insufficient_scope")
            #expect(plain.header("WWW-Authenticate")?.contains(#"scope="openid""#) == true)
            let other = try await server.otherApp()
            let access = try #require(try await server.openIDTokens().field("access_token"))
            let foreign = try await server.send(
                "GET", "/apps/\(other.id)/oauth/userinfo", headers: ["Authorization": "Bearer \(access)"])
            #expect(foreign.field("error") == "invalid_token")
        }
    }

    @Test func `a session that has ended and a user who is deactivated say nothing more`() async throws {
        try await running { server in
            let first = try #require(try await server.openIDTokens().field("access_token"))
            let second = try #require(try await server.openIDTokens().field("access_token"))
            let ended = try await server.send(
                "DELETE", "\(server.api)/sessions/current", headers: ["Authorization": "Bearer \(first)"])
            #expect(ended.status == 204)
            #expect(try await server.userInfo(first).field("error") == "invalid_token")
            #expect(try await server.userInfo(second).status == 200)
            try await server.deactivateEverybody()
            #expect(try await server.userInfo(second).field("error") == "invalid_token")
        }
    }
}

import Curl
import Foundation
import GatepostModel
import TestSupport
import Testing

extension TestServer {
    /// Makes a role over the admin API and returns its id.
    func makeRole(_ name: String, _ permissions: [String], key: String) async throws -> String {
        let list = permissions.map { "\"\($0)\"" }.joined(separator: ", ")
        let answer = try await admin(
            "POST", "\(adminAPI)/roles", key: key, json: #"{"name": "\#(name)", "permissions": [\#(list)]}"#)
        return try #require(answer.field("id"), "\(answer.text)")
    }
}

/// Roles of an app's users, from the admin API into tokens.
@Suite("Admin: roles of an app's users")
struct AdminRoleTests {
    /// The claims of an access token that say roles; empty where it says none.
    private func claims(_ token: String) throws -> [String: [String]] {
        let payload = try #require(Base64URL.decode(Array(token.split(separator: ".")[1].utf8)))
        let object = try JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any] ?? [:]
        return ["roles", "permissions"].reduce(into: [:]) { $0[$1] = object[$1] as? [String] }
    }

    /// Lets the app's tokens say roles; the server forgets what it remembered of the app.
    private func sayRoles(_ server: TestServer, key: String) async throws {
        let answer = try await server.admin(
            "PATCH", server.adminAPI, key: key, json: #"{"settings": {"roles_in_tokens": true}}"#)
        #expect(answer.status == 200, "\(answer.text)")
    }

    @Test func `a role change is in the next token, a refreshed one too`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            try await sayRoles(server, key: key)
            try await server.verifiedUser()
            let first = try await server.session()
            #expect(try claims(first.access) == ["roles": [], "permissions": []])
            let user = try #require(try await server.me(first.access).field("user.id"))
            let roles = "\(server.adminAPI)/users/\(user)/roles"
            let editor = try await server.makeRole("editor", ["documents:write", "documents:read"], key: key)
            let clerk = try await server.makeRole("clerk", ["documents:read", "invoices/*"], key: key)

            for role in [editor, clerk, clerk] {
                #expect(try await server.admin("PUT", "\(roles)/\(role)", key: key).status == 200)
            }
            let second = try TestServer.Tokens(try await server.refresh(first.refresh))
            #expect(
                try claims(second.access) == [
                    "roles": ["clerk", "editor"],
                    "permissions": ["documents:read", "documents:write", "invoices/*"],
                ])

            let changed = try await server.admin(
                "PATCH", "\(server.adminAPI)/roles/\(editor)", key: key,
                json: #"{"name": "author", "permissions": ["documents:write"]}"#)
            #expect(changed.status == 200, "\(changed.text)")
            #expect(try await server.admin("DELETE", "\(roles)/\(clerk)", key: key).status == 200)
            let third = try TestServer.Tokens(try await server.refresh(second.refresh))
            #expect(try claims(third.access) == ["roles": ["author"], "permissions": ["documents:write"]])

            #expect(try await server.admin("DELETE", "\(server.adminAPI)/roles/\(editor)", key: key).status == 204)
            #expect(try claims(try await server.session().access) == ["roles": [], "permissions": []])
            let kinds = try await server.events().filter { $0.hasPrefix("role.") }
            #expect(
                kinds == [
                    "role.created", "role.created", "role.assigned", "role.assigned", "role.changed",
                    "role.unassigned", "role.deleted",
                ])
        }
    }

    @Test func `tokens say nothing of roles unless the app asks for it`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            #expect(try claims(try await server.session().access).isEmpty)
        }
    }

    @Test func `an app's webhooks are told whose roles changed`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            _ = try await server.app.addEndpoint()
            try await server.verifiedUser()
            let user = try #require(try await server.me(try await server.session().access).field("user.id"))
            let role = try await server.makeRole("editor", [], key: key)
            for method in ["PUT", "PUT", "DELETE"] {
                _ = try await server.admin(method, "\(server.adminAPI)/users/\(user)/roles/\(role)", key: key)
            }
            let owed = try await server.texts(
                "select payload #>> '{data,email}' as text from outbox where payload ->> 'type' = 'user.roles_changed'")
            #expect(owed == ["ada@example.com", "ada@example.com"])
        }
    }

    static let unusable = [
        #"{"name": "Editor", "permissions": []}"#, #"{"name": "", "permissions": []}"#,
        #"{"name": "editor\u0022", "permissions": []}"#, #"{"name": "editor", "permissions": ["a b"]}"#,
        #"{"name": "editor", "permissions": ["a\u0022"]}"#, #"{"name": "editor", "permissions": [""]}"#,
        #"{"name": "editor"}"#, #"{"name": "editor", "permissions": "all"}"#,
        #"{"name": "\#(String(repeating: "a", count: 41))", "permissions": []}"#,
    ]

    @Test(arguments: unusable) func `a name or permission that would break a token is refused`(
        json: String
    ) async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            let answer = try await server.admin("POST", "\(server.adminAPI)/roles", key: key, json: json)
            #expect(answer.problem == .invalidRequest, "\(answer.text)")
        }
    }

    @Test func `counts are bounded, so that a token with everything still opens`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            try await sayRoles(server, key: key)
            try await server.verifiedUser()
            let tokens = try await server.session()
            let user = try #require(try await server.me(tokens.access).field("user.id"))
            func permissions(_ role: Int) -> [String] { (0..<20).map { "p\(role % 8)-\($0)-abc" } }
            var roles: [String] = []
            for number in 0..<21 {
                let name = "role-\(number)-" + String(repeating: "x", count: 28)
                roles.append(try await server.makeRole(name, permissions(number), key: key))
            }
            let path = "\(server.adminAPI)/users/\(user)/roles"
            for role in roles.prefix(20) {
                #expect(try await server.admin("PUT", "\(path)/\(role)", key: key).status == 200)
            }
            #expect(try await server.admin("PUT", "\(path)/\(roles[20])", key: key).problem == .conflict)
            let more = (0..<40).map { "\"" + String(repeating: "y", count: 50) + "\($0)\"" }.joined(separator: ",")
            for json in [
                #"{"name": "more", "permissions": [\#(more)]}"#,
                #"{"name": "role-0-\#(String(repeating: "x", count: 28))", "permissions": []}"#,
            ] {
                let answer = try await server.admin("POST", "\(server.adminAPI)/roles", key: key, json: json)
                #expect(answer.problem == .conflict, "\(answer.text)")
            }
            let full = try TestServer.Tokens(try await server.refresh(tokens.refresh))
            #expect(try claims(full.access)["roles"]?.count == 20)
            #expect(full.access.utf8.count < 8192)
            #expect(try await server.me(full.access).status == 200)
        }
    }

    @Test func `the built-in app has no such roles`() async throws {
        try await TestServer.running { server in
            let owner = try await server.owner()
            let answer = try await server.admin(
                "POST", "/v1/admin/apps/\(AppID.gatepost)/roles", key: owner,
                json: #"{"name": "editor", "permissions": []}"#)
            #expect(answer.problem == .conflict)
        }
    }
}

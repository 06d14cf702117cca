import Curl
import GatepostModel
import GatepostStore
import Synchronization
import TestSupport
import Testing

/// No admin locks themselves or everybody out, and nobody gives away more than they have.
@Suite("Admin: guards", .ownDatabase)
struct AdminGuardTests {
    private static let owner = AdminGrant(.owner, in: nil)

    private func path(_ user: UserID, _ target: String = "all") -> String {
        "/v1/admin/admins/\(user)/grants/\(target)"
    }

    private func deactivation(_ user: UserID) -> String {
        "/v1/admin/apps/\(AppID.gatepost)/users/\(user)/deactivate"
    }

    private func activeOwners(_ server: TestServer) async throws -> Int {
        try await server.app.database.batch(in: try await server.builtIn) { $0.admins(limit: 100) }
            .count { admin in !admin.user.isDeactivated && admin.grants.contains { $0.role == .owner } }
    }

    @Test func `an owner sets and takes roles, and each change is recorded`() async throws {
        try await TestServer.running { server in
            let token = try await server.accessToken(of: try await server.admin("owner", Self.owner))
            let user = try await server.admin("new")

            let set = try await server.admin(
                "PUT", path(user, "\(server.app.id)"), key: token, json: #"{"role": "support"}"#)
            #expect(set.status == 200, "\(set.text)")
            let listed = try await server.admin("GET", "/v1/admin/admins", key: token)
            #expect(listed.users.count == 2 && listed.text.contains("support"))
            #expect(
                try await server.admin("DELETE", path(user, "\(server.app.id)"), key: token).status == 204)
            #expect(
                try await server.admin("DELETE", path(user, "\(server.app.id)"), key: token).problem == .notFound)
            #expect(
                try await server.admin(
                    "PUT", path(user, "\(server.app.id)"), key: token, json: #"{"role": "owner"}"#
                ).problem == .invalidRequest)
        }
    }

    @Test func `nobody takes away their own right, and the last owner stays`() async throws {
        try await TestServer.running { server in
            let owner = try await server.admin("owner", Self.owner)
            _ = try await server.admin("other", Self.owner)
            let token = try await server.accessToken(of: owner)
            let lower = #"{"role": "auditor"}"#
            #expect(try await server.admin("DELETE", path(owner), key: token).problem == .conflict)
            #expect(try await server.admin("PUT", path(owner), key: token, json: lower).problem == .conflict)
            #expect(try await server.admin("POST", deactivation(owner), key: token, json: "{}").problem == .conflict)
            #expect(try await activeOwners(server) == 2)
        }
    }

    @Test func `two owners who remove or deactivate each other at one moment leave one`() async throws {
        try await TestServer.running { server in
            let (ada, eve) = (
                try await server.admin("ada", Self.owner), try await server.admin("eve", Self.owner)
            )
            let tokens = [try await server.accessToken(of: ada), try await server.accessToken(of: eve)]
            let others = [eve, ada]
            let turn = Turns()
            let answers = try await race(2) {
                let index = turn.next()
                return index == 0
                    ? try await server.admin("DELETE", path(others[0]), key: tokens[0]).status
                    : try await server.admin("POST", deactivation(others[1]), key: tokens[1], json: "{}").status
            }
            #expect(try await activeOwners(server) == 1)
            #expect(answers.count { $0 < 300 } == 1, "\(answers)")
        }
    }

    @Test func `an admin and a key may not touch the users of the built-in app`() async throws {
        try await TestServer.running { server in
            let user = try await server.admin("owner", Self.owner)
            let key = try await server.apiKey(.admin)
            let answer = try await server.admin("POST", deactivation(user), key: key, json: "{}")
            #expect(answer.problem == .permissionDenied)
            #expect(try await activeOwners(server) == 1)
        }
    }
}

/// Hands out 0, 1, 2 … to racing tasks.
private final class Turns: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}

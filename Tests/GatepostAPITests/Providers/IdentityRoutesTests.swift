import Curl
import GatepostModel
import GatepostStore
import TestSupport
import Testing

@Suite("Identities of a user")
struct IdentityRoutesTests {
    private func me(_ server: TestServer, _ access: String, _ method: String = "GET", _ path: String = "") async throws
        -> HTTPResponse
    {
        try await server.send(
            method, "/v1/apps/\(server.app.id)/me/identities\(path)", headers: ["Authorization": "Bearer \(access)"])
    }

    @Test func `a user sees their identities and unlinks one, and it is on record`() async throws {
        try await TestServer.running { server async throws in
            try await server.verifiedUser()
            let access = try await server.session().access
            let user = try #require(try await server.me(access).field("user.id"))
            try await server.app.addProvider("google", kind: .google, issuer: "https://accounts.google.com")
            let id = "\(try await server.app.addIdentity(to: user, "1", issuer: "https://accounts.google.com"))"

            let list = try await me(server, access)
            #expect(list.status == 200 && list.text.contains(id) && list.text.contains(#""provider":"google""#))
            #expect(try await me(server, access, "DELETE", "/\(id)").status == 204)
            #expect(try await me(server, access).text == #"{"items":[]}"#)
            #expect(try await me(server, access, "DELETE", "/\(id)").problem == .notFound)
            #expect(try await server.events().contains("identity.unlinked"))
        }
    }

    @Test func `nobody unlinks, or names, somebody else's identity (abuse case 30)`() async throws {
        try await TestServer.running { server async throws in
            try await server.verifiedUser()
            let access = try await server.session().access
            let user = try #require(try await server.me(access).field("user.id"))
            let other = try await server.flows.verifiedUser(try #require(EmailAddress("other@example.com")))
            let id = "\(try await server.app.addIdentity(to: "\(other)", "1", issuer: "https://accounts.google.com"))"
            #expect(try await me(server, access, "DELETE", "/\(id)").problem == .notFound)
            #expect(try await me(server, access).text == #"{"items":[]}"#)
            for method in ["POST", "PUT", "PATCH"] {
                let answer = try await server.send(
                    method, "/v1/apps/\(server.app.id)/me/identities",
                    headers: ["Authorization": "Bearer \(access)", "Content-Type": "application/json"],
                    body: Array(#"{"user": "\#(user)", "issuer": "https://accounts.google.com", "subject": "1"}"#.utf8))
                #expect(answer.problem == .methodNotAllowed)
            }
        }
    }

    @Test func `the last way in is not taken away, nor by two requests at once`() async throws {
        try await TestServer.running { server async throws in
            try await server.verifiedUser()
            let access = try await server.session().access
            let user = try #require(try await server.me(access).field("user.id"))
            for (name, host) in [("one", "https://one.example.com"), ("two", "https://two.example.com")] {
                try await server.app.addProvider(name, issuer: host)
            }
            let first = "\(try await server.app.addIdentity(to: user, "1", issuer: "https://one.example.com"))"
            let second = "\(try await server.app.addIdentity(to: user, "2", issuer: "https://two.example.com"))"
            try await server.tamper("delete from credentials where app_id = \(server.sqlID)")

            let statuses = try await both(server, access, [first, second])
            #expect(statuses.sorted() == [204, 409])
            let left = try await me(server, access)
            #expect(left.text.contains(first) != left.text.contains(second))
        }
    }

    private func both(_ server: TestServer, _ access: String, _ ids: [String]) async throws -> [Int] {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for id in ids { group.addTask { try await me(server, access, "DELETE", "/\(id)").status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}

import Curl
import Foundation
import GatepostDev
import GatepostModel
import Testing
import TestSupport

/// `gatepost users` as an operator types it.
@Suite("gatepost users", .timeLimit(.minutes(20)))
struct UsersCommandTests {
    private struct User: Decodable {
        let user: String
        let email: String
        let state: String
    }

    private struct Shown: Decodable {
        struct Session: Decodable {
            let session: String
        }

        let user: User
        let sessions: [Session]
    }

    @Test func `somebody is found by address, signed out, deactivated and let in again`() async throws {
        try await Installation.running { installation in
            try await installation.serve()
            try await installation.work()
            let app = try await installation.makeApp()
            let tokens = try await installation.signedIn("ada@example.com", to: app)
            _ = try await app.signUp("eve@example.com")

            let all = try await installation.run("users", "list", app.id, "--json").json(as: [User].self)
            #expect(all.map(\.email) == ["eve@example.com", "ada@example.com"])
            let found = try await installation.run("users", "list", app.id, "--email", "AD", "--json")
                .json(as: [User].self)
            #expect(found.map(\.email) == ["ada@example.com"])
            func show(_ who: String) async throws -> Shown {
                try await installation.run("users", "show", app.id, who, "--json").json()
            }
            #expect(try await show("Ada@example.com").sessions.count == 1)

            let out = try await installation.run("users", "sign-out", app.id, "ada@example.com", "--json")
            #expect(try out.json(as: [String: String].self) == ["signed_out": found[0].user], "\(out.errors)")
            #expect(try await app.asUser(tokens.access).problem == .sessionEnded)
            #expect(try await show(found[0].user).sessions.isEmpty)
            #expect(try await app.signIn("ada@example.com").status == 200)

            let kept = try await installation.run(
                "users", "deactivate", app.id, found[0].user, "--note", "asked by herself")
            #expect(kept.exit == .done && kept.output == "deactivated  \(found[0].user)\n", "\(kept.errors)")
            #expect(try await app.signIn("ada@example.com").problem == .userDeactivated)
            let listed = try await installation.run("users", "list", app.id, "--state", "deactivated", "--json")
            #expect(try listed.json(as: [User].self).map(\.user) == [found[0].user])
            let back = try await installation.run("users", "reactivate", app.id, found[0].user)
            #expect(back.exit == .done, "\(back.errors)")
            #expect(try await app.signIn("ada@example.com").status == 200)
            let kinds = try await app.auditKinds()
            for kind in ["user.signed_out_everywhere", "user.deactivated", "user.reactivated"] {
                #expect(kinds.contains(kind), "\(kind)")
            }
        }
    }

    @Test func `nobody of another app is found`() async throws {
        try await Installation.running { installation in
            try await installation.serve()
            let (first, second) = (try await installation.makeApp(), try await installation.makeApp("Harbour"))
            _ = try await first.signUp("ada@example.com")
            let ada = try await installation.run("users", "list", first.id, "--json").json(as: [User].self)
            for who in ["ada@example.com", ada[0].user] {
                for deed in ["show", "deactivate", "sign-out"] {
                    let outcome = try await installation.run("users", deed, second.id, who)
                    #expect(outcome.exit != .done && outcome.output.isEmpty, "\(deed) \(who)")
                }
            }
            #expect(try await installation.run("users", "list", second.id, "--json").json(as: [User].self).isEmpty)
        }
    }
}

import Curl
import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// From the invitation to an admin who has joined.
@Suite("Admin: invitations", .ownDatabase)
struct AdminInvitationTests {
    static let password = "a lighthouse above seven cold harbours"

    /// Invites as an operator and returns the path of the mail's link.
    private func invite(
        _ server: TestServer, as grant: AdminGrant = AdminGrant(.owner, in: nil),
        by principal: AdminPrincipal = .operator
    ) async throws -> (flow: FlowID, link: String) {
        let address = try #require(EmailAddress("ada@example.com"))
        let outcome = try await server.flows.flows.admin.invitations.invite(
            address, as: grant, for: AdminRequest(principal, from: .none))
        guard case .done(let flow) = outcome else { throw TestFlows.StepRefused(refusal: nil) }
        let secrets = FlowSecrets(app: .gatepost, flow: flow, kind: .adminInvitation, keys: server.app.keys)
        return (flow, "/apps/\(AppID.gatepost)/links/\(secrets.linkToken.secret.revealed)")
    }

    /// The roles of the built-in app's users, by address.
    private func roles(_ server: TestServer) async throws -> [String] {
        try await server.app.database.batch(in: try await server.builtIn) { $0.admins(limit: 100) }
            .flatMap { admin in admin.grants.map { "\(admin.user.email) \($0.role.rawValue)" } }
            // Those of one moment come in any order.
            .sorted()
    }

    private func events(_ server: TestServer) async throws -> [String] {
        try await server.app.database.batch(in: try await server.builtIn) { batch in
            batch.read("select kind from audit_events order by transaction_id, id") {
                try $0.map { try $0.get("kind", as: String.self) }
            }
        }
    }

    @Test func `the first owner chooses a password by the link and signs in`() async throws {
        try await TestServer.running { server in
            let invited = try await invite(server)
            for method in ["HEAD", "GET", "GET"] {
                let page = try await server.send(method, invited.link)
                #expect(page.status == 200)
                #expect(method == "HEAD" || page.text.contains("as owner for all apps"))
                #expect(method == "HEAD" || page.text.contains("type=\"password\""))
            }
            #expect(try await roles(server) == [])
            #expect(try await server.submit(invited.link, form: [:]).status == 400)
            #expect(try await server.submit(invited.link, form: ["password": "short"]).status == 422)

            let done = try await server.submit(invited.link, form: ["password": Self.password])

            #expect(done.status == 200 && done.text.contains("You are an administrator"), "\(done.text)")
            #expect(try await roles(server) == ["ada@example.com owner"])
            #expect(try await events(server).filter { $0.hasPrefix("admin.") } == ["admin.invited", "admin.joined"])
            let address = try #require(EmailAddress("ada@example.com"))
            let user = try await server.app.database.batch(in: try await server.builtIn) { $0.user(email: address) }
            #expect(user?.emailVerifiedAt != nil)
            #expect(try await server.send("GET", invited.link).status == 410)
            #expect(try await server.submit(invited.link, form: ["password": Self.password]).status == 410)
        }
    }

    @Test func `an admin who has a password accepts with one click and loses nothing`() async throws {
        try await TestServer.running { server in
            let first = try await invite(server)
            #expect(try await server.submit(first.link, form: ["password": Self.password]).status == 200)

            let lower = try await invite(server, as: AdminGrant(.auditor, in: nil))
            #expect(!(try await server.send("GET", lower.link).text.contains("type=\"password\"")))
            #expect(try await server.submit(lower.link, form: [:]).status == 200)
            #expect(try await roles(server) == ["ada@example.com owner"])

            let scoped = try await invite(server, as: AdminGrant(.support, in: server.app.id))
            #expect(try await server.submit(scoped.link, form: [:]).status == 200)
            #expect(try await roles(server) == ["ada@example.com owner", "ada@example.com support"])
        }
    }

    @Test func `sixteen racing clicks join once`() async throws {
        try await TestServer.running { server in
            let invited = try await invite(server)
            let answers = try await race(16) {
                try await server.submit(invited.link, form: ["password": Self.password]).status
            }
            #expect(answers.count { $0 == 200 } == 1)
            #expect(answers.count { $0 == 410 } == 15)
            #expect(try await events(server).count { $0 == "admin.joined" } == 1)
        }
    }

    @Test func `a newer invitation voids the older one, and seven days end it`() async throws {
        try await TestServer.running { server in
            let older = try await invite(server)
            server.app.clock.advance(by: .seconds(1))
            let newer = try await invite(server, as: AdminGrant(.auditor, in: nil))
            #expect(try await server.submit(older.link, form: ["password": Self.password]).status == 410)
            #expect(try await server.send("GET", newer.link).status == 200)

            server.app.clock.advance(by: Lifetimes.adminInvitation)
            #expect(try await server.send("GET", newer.link).status == 410)
            #expect(try await server.submit(newer.link, form: ["password": Self.password]).status == 410)
            #expect(try await roles(server) == [])
        }
    }

    @Test func `an invitation is worth no more than its maker is when it is accepted`() async throws {
        try await TestServer.running { server in
            let owner = try await server.admin("owner", AdminGrant(.owner, in: nil))
            let principal = AdminPrincipal(.admin(owner), grants: [AdminGrant(.owner, in: nil)])
            let invited = try await invite(server, by: principal)
            try await server.app.database.batch(in: try await server.builtIn) { batch in
                _ = batch.deleteAdminGrant(of: owner, for: nil)
            }
            #expect(try await server.submit(invited.link, form: ["password": Self.password]).status == 410)
            #expect(try await roles(server) == [])
        }
    }

    @Test func `nobody signs up as an admin, and a sign-up's page is no invitation's`() async throws {
        try await TestServer.running { server in
            let signUp = try await server.post(
                "/v1/apps/\(AppID.gatepost)/sign-ups", ["email": "eve@example.com", "password": Self.password])
            #expect(signUp.problem == .appNotFound)
            let invited = try await invite(server)
            let elsewhere = invited.link.replacing("\(AppID.gatepost)", with: "\(server.app.id)")
            #expect(try await server.send("GET", elsewhere).status == 410)
        }
    }
}

import Curl
import Foundation
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import TestSupport
import Testing

/// The second factor for clients with screens of their own, and for admins.
@Suite("Second factor over JSON")
struct FactorRoutesTests {
    private static let password = TestFlows.password.revealed

    private static func ada() throws -> EmailAddress { try #require(EmailAddress("ada@example.com")) }

    /// What a challenge's holder sends.
    private static func held(_ answer: HTTPResponse) throws -> [String: String] {
        [
            "challenge": try #require(answer.field("challenge"), "\(answer.text)"),
            "challenge_token": try #require(answer.field("challenge_token")),
        ]
    }

    private static func signIn(_ server: TestServer) async throws -> HTTPResponse {
        try await server.post("\(server.api)/sign-ins", server.signInFields(password: password))
    }

    @Test func `a sign-in is accepted, and its code comes with the second factor`() async throws {
        try await TestServer.running { server in
            let factor = try await server.flows.enrolledUser(Self.ada())
            let asked = try await Self.signIn(server)
            #expect(asked.status == 202 && asked.field("code") == nil && asked.field("enrolment_required") == "0")
            let held = try Self.held(asked)
            let path = "\(server.api)/sign-ins/factor"
            let wrong = try await server.post(path + "/verify", held.merging(["code": "000000"]) { $1 })
            #expect(wrong.problem == .invalidCode)
            #expect(try await server.post(path + "/totp", held).problem == .conflict)
            #expect(try await server.post(path + "/finish", held).problem == .invalidFlow)
            let foreign = held.merging(["challenge_token": "gfc_x", "code": "000000"]) { $1 }
            #expect(try await server.post(path + "/verify", foreign).problem == .invalidFlow)

            let right = try await server.post(path + "/verify", held.merging(["code": factor.nextCode()]) { $1 })
            #expect(right.status == 200 && right.field("device_token") != nil, "\(right.text)")
            let tokens = try TestServer.Tokens(try await server.exchange(try #require(right.field("code"))))
            #expect(try await server.me(tokens.access).status == 200)
        }
    }

    @Test func `where the app asks for one, it is set up in the sign-in`() async throws {
        try await TestServer.running { server in
            try await server.flows.verifiedUser(Self.ada())
            let key = try await server.apiKey(.admin)
            let changed = try await server.admin(
                "PATCH", server.adminAPI, key: key, json: #"{"settings": {"require_second_factor": true}}"#)
            #expect(changed.status == 200, "\(changed.text)")
            let asked = try await Self.signIn(server)
            #expect(asked.status == 202 && asked.field("enrolment_required") == "1", "\(asked.text)")
            let (held, path) = (try Self.held(asked), "\(server.api)/sign-ins/factor")
            let begun = try await server.post(path + "/totp", held)
            let seed = TOTPSeed(typed: try #require(begun.field("secret"), "\(begun.text)"))
            #expect(begun.status == 201 && begun.field("uri")?.hasPrefix("otpauth://totp/") == true)
            let code = seed.code(of: TOTPSeed.step(at: server.app.clock.now)).revealed
            let confirmed = try await server.post(path + "/totp/confirm", held.merging(["code": code]) { $1 })
            #expect(confirmed.status == 200 && confirmed.text.contains("recovery_codes"), "\(confirmed.text)")
            let finished = try await server.post(path + "/finish", held)
            let tokens = try TestServer.Tokens(try await server.exchange(try #require(finished.field("code"))))
            let mine = try await server.send(
                "GET", "\(server.api)/me/factors", headers: ["Authorization": "Bearer \(tokens.access)"])
            #expect(mine.field("required") == "1" && mine.field("recovery_codes_left") == "10", "\(mine.text)")
            #expect(mine.field("totp.confirmed_at") != nil)
        }
    }

    @Test func `a signed-in user sets one up, replaces the recovery codes and removes it`() async throws {
        try await TestServer.running { server in
            try await server.flows.verifiedUser(Self.ada())
            let access = try await server.flows.tokens(Self.ada()).accessToken.revealed
            let path = "\(server.api)/me/factors"
            func post(_ tail: String, _ fields: [String: String]) async throws -> HTTPResponse {
                let json = String(decoding: try JSONEncoder().encode(fields), as: UTF8.self)
                return try await server.send("POST", path + tail, as: access, json: json)
            }
            #expect(try await post("/totp", [:]).problem == .invalidCredentials)
            #expect(try await post("/totp/remove", ["password": Self.password]).problem == .conflict)
            let begun = try await post("/totp", ["password": Self.password])
            let seed = TOTPSeed(typed: try #require(begun.field("secret"), "\(begun.text)"))
            func code() -> String { seed.code(of: TOTPSeed.step(at: server.app.clock.now)).revealed }
            #expect(try await post("/totp/confirm", ["code": "000000"]).problem == .invalidCode)
            #expect(try await post("/totp/confirm", ["code": code()]).status == 200)
            #expect(try await post("/totp/confirm", ["code": code()]).problem == .invalidFlow)

            server.app.clock.advance(by: .seconds(30))
            #expect(try await post("/recovery-codes", ["password": Self.password]).problem == .invalidCode)
            #expect(try await post("/recovery-codes", ["password": Self.password, "code": code()]).status == 200)
            server.app.clock.advance(by: .seconds(30))
            #expect(try await post("/totp/remove", ["password": "wrong", "code": code()]).status == 401)
            #expect(try await post("/totp/remove", ["password": Self.password, "code": code()]).status == 204)
            #expect(try await Self.signIn(server).status == 200)
        }
    }

    @Test func `an admin takes a lost one away, which ends the sessions, is recorded and told`() async throws {
        try await TestServer.running { server in
            let factor = try await server.flows.enrolledUser(Self.ada())
            let tokens = try await server.flows.tokens(Self.ada(), with: factor)
            let path = "\(server.adminAPI)/users/\(factor.user)/reset-factors"
            let auditor = try await server.apiKey(.auditor, in: server.app.id)
            #expect(try await server.admin("POST", path, key: auditor, json: "{}").problem == .permissionDenied)
            let key = try await server.apiKey(.admin, in: server.app.id)
            let reset = try await server.admin("POST", path, key: key, json: #"{"note": "lost phone"}"#)
            #expect(reset.status == 204, "\(reset.text)")
            #expect(try await server.me(tokens.accessToken.revealed).problem == .sessionEnded)
            #expect(try await Self.signIn(server).status == 200)
            let events = try await server.admin("GET", "\(server.adminAPI)/audit-events?kind=factor.reset", key: key)
            #expect(events.text.contains("lost phone"), "\(events.text)")
            let mails = try await server.app.ledger().filter { $0.kind == "mail.factor_changed" }
            #expect(mails.count == 2)
            // Again, there is nothing to take away.
            #expect(try await server.admin("POST", path, key: key, json: "{}").status == 204)
            let nobody = "\(server.adminAPI)/users/\(server.app.newID(UserID.self))/reset-factors"
            #expect(try await server.admin("POST", nobody, key: key, json: "{}").problem == .notFound)
        }
    }

    @Test func `a role says whether it asks for a second factor`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            let made = try await server.admin(
                "POST", "\(server.adminAPI)/roles", key: key,
                json: #"{"name": "treasurer", "permissions": [], "requires_second_factor": true}"#)
            #expect(made.field("requires_second_factor") == "1", "\(made.text)")
            let path = "\(server.adminAPI)/roles/\(try #require(made.field("id")))"
            let renamed = try await server.admin("PATCH", path, key: key, json: #"{"name": "cashier"}"#)
            #expect(renamed.field("requires_second_factor") == "1")
            let lifted = try await server.admin("PATCH", path, key: key, json: #"{"requires_second_factor": false}"#)
            #expect(lifted.field("requires_second_factor") == "0")
        }
    }

    @Test func `no admin lets the admins off`() async throws {
        try await TestServer.running { server in
            let owner = try await server.owner()
            let path = "/v1/admin/apps/\(AppID.gatepost)"
            let answer = try await server.admin(
                "PATCH", path, key: owner, json: #"{"settings": {"require_second_factor": false}}"#)
            #expect(answer.problem == .conflict, "\(answer.text)")
        }
    }
}

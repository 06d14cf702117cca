import Curl
import Foundation
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// How an installation gets its first owner, and programs their keys, with the real program.
@Suite("Admins", .timeLimit(.minutes(20)))
struct AdminsTests {
    private static let password = "a lighthouse above seven cold harbours"

    private struct Invited: Decodable {
        let app: String
        let client: String
    }

    private struct Admin: Decodable {
        let user: String
        let email: String
        let role: String
    }

    private struct Key: Decodable {
        let id: String
        let key: String
    }

    private struct Listed: Decodable {
        let id: String
        let state: String
    }

    @Test func `the first owner comes by the command line and a mail, signs in, and cannot be lost`() async throws {
        try await Installation.running { installation in
            try await installation.serve()
            try await installation.work()
            let invited = try await invite("ada@example.com", "owner", installation)
            let again = try await invite("ada@example.com", "owner", installation)
            #expect(again.client == invited.client)
            try await installation.waitUntilNothingIsOwed()
            let mail = try #require(await installation.relay.mails().last)
            let link = String(
                try #require(CaughtMail(mail).text.firstMatch(of: /https?:\/\/\S+\/links\/\S+/)).output)

            let joined = try await installation.click(link, password: Self.password)
            #expect(joined.status == 200, "\(joined.text)")
            let console = App(
                installation: installation, id: invited.app, client: invited.client,
                redirectURI: "http://127.0.0.1:5173/callback")
            let asked = try await console.signIn("ada@example.com", password: Self.password)
            #expect(asked.status == 202 && asked.field("code") == nil, "\(asked.text)")
            let code = try await enrol(asked, console)
            let tokens = try App.Tokens(try await console.exchange(code))
            let apps = try await installation.send(
                "GET", "/v1/admin/apps", headers: ["Authorization": "Bearer \(tokens.access)"])
            #expect(apps.status == 200, "\(apps.text)")

            let listed = try await installation.run("admins", "list", "--json")
            let admins = try listed.json(as: [Admin].self)
            #expect(admins.map(\.email) == ["ada@example.com"] && admins.map(\.role) == ["owner"])
            let revoked = try await installation.run("admins", "revoke", try #require(admins.first).user)
            #expect(revoked.exit == SettingsTests.failure && revoked.errors.contains("the last owner"))
        }
    }

    @Test func `an operator lifts the second factor of admins, and asks for it again`() async throws {
        try await Installation.running { installation in
            try await installation.serve()
            try await installation.work()
            let invited = try await invite("ada@example.com", "owner", installation)
            try await installation.waitUntilNothingIsOwed()
            let mail = try #require(await installation.relay.mails().last)
            let link = String(
                try #require(CaughtMail(mail).text.firstMatch(of: /https?:\/\/\S+\/links\/\S+/)).output)
            #expect(try await installation.click(link, password: Self.password).status == 200)
            let console = App(
                installation: installation, id: invited.app, client: invited.client,
                redirectURI: "http://127.0.0.1:5173/callback")
            func statuses() async throws -> Int {
                try await console.signIn("ada@example.com", password: Self.password).status
            }
            #expect(try await installation.run("admins", "second-factor", "optional").exit == .done)
            // Each node remembers an app for a second.
            try await eventually(within: .seconds(30), "the password is enough") {
                try await statuses() == 200 ? () : nil
            }
            #expect(try await installation.run("admins", "second-factor", "required").exit == .done)
            try await eventually(within: .seconds(30), "it is not") { try await statuses() == 202 ? () : nil }
        }
    }

    /// Sets an authenticator up in a sign-in, and returns the code that this ends in.
    private func enrol(_ asked: HTTPResponse, _ console: App) async throws -> String {
        var held = [
            "challenge": try #require(asked.field("challenge")),
            "challenge_token": try #require(asked.field("challenge_token")),
        ]
        let path = "/v1/apps/\(console.id)/sign-ins/factor"
        let begun = try await console.post(path + "/totp", held)
        let seed = TOTPSeed(typed: try #require(begun.field("secret"), "\(begun.text)"))
        held["code"] = seed.code(of: Int64(Date().timeIntervalSince1970) / TOTPSeed.stepSeconds).revealed
        let confirmed = try await console.post(path + "/totp/confirm", held)
        #expect(confirmed.status == 200, "\(confirmed.text)")
        held["code"] = nil
        let finished = try await console.post(path + "/finish", held)
        return try #require(finished.field("code"), "\(finished.text)")
    }

    @Test func `a key is printed once, opens what its role says, and nothing once it is revoked`() async throws {
        try await Installation.running { installation in
            try await installation.serve()
            let app = try await installation.makeApp()
            let made = try await installation.run(
                "admins", "api-keys", "create", "Support desk", "--role", "support", "--app", app.id, "--days", "7",
                "--json")
            let key = try made.json(as: Key.self)
            func users() async throws -> Int {
                let answer = try await installation.send(
                    "GET", "/v1/admin/apps/\(app.id)/users", headers: ["Authorization": "Bearer \(key.key)"])
                return answer.status
            }
            #expect(try await users() == 200)
            #expect(try await installation.run("admins", "api-keys", "revoke", key.id).exit == .done)
            #expect(try await users() == 401)
            let listed = try await installation.run("admins", "api-keys", "list", "--json")
            #expect(!listed.output.contains(key.key))
            #expect(try listed.json(as: [Listed].self).map(\.state) == ["revoked"])
        }
    }

    @Test func `what cannot be is a plain complaint`() async throws {
        try await Installation.running { installation in
            for wrong in [
                ["invite", "nobody", "--role", "owner"], ["invite", "ada@example.com", "--role", "king"],
                ["api-keys", "create", "x", "--role", "support", "--days", "400"],
                ["api-keys", "revoke", "apk_x"], ["revoke", "ada@example.com"],
            ] {
                let outcome = try await Program.run(["admins"] + wrong, environment: installation.settings)
                #expect(outcome.exit == SettingsTests.usage, "\(wrong): \(outcome.errors)")
            }
            let owner = try await installation.run("admins", "api-keys", "create", "x", "--role", "owner")
            #expect(owner.exit == SettingsTests.failure && owner.errors.contains("A key is no owner"))
        }
    }

    private func invite(_ email: String, _ role: String, _ installation: Installation) async throws -> Invited {
        let outcome = try await installation.run("admins", "invite", email, "--role", role, "--json")
        try #require(outcome.exit == .done, "\(outcome.errors)")
        return try outcome.json(as: Invited.self)
    }
}

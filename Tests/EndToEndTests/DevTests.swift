import Curl
import Foundation
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// `gatepost dev` as somebody types it who has just cloned the repository.
@Suite("gatepost dev", .timeLimit(.minutes(20)))
struct DevTests {
    @Test func `a second start on the same data finds the app and its users`() async throws {
        try await withFolder { folder in
            let port = try await Installation.freePort()
            let key = try await Dev.running(folder, port) { dev in
                let flow = try await dev.signUp("ada@example.com")
                let code = try await dev.codeFromPage(of: "ada@example.com")
                let verified = try await dev.post("sign-ups/verify", flow.merging(["code": code]) { $1 })
                #expect(verified.status == 200)
                #expect(try await dev.signIn("ada@example.com").status == 200)
                try await expectReached(dev, by: folder)
                #expect(try await dev.program.terminate() == .done)
                #expect(Dev.servers(in: folder).isEmpty)
                #expect(dev.program.output.contains("stopped; the data are in"))
                return dev.adminKey
            }
            try await Dev.running(folder, port) { dev in
                #expect(try await dev.signIn("ada@example.com").status == 200)
                #expect(dev.adminKey == key)
                let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/admin-api-key")
                #expect(attributes[.posixPermissions] as? Int == 0o600)
                let unknown = try await dev.signIn("eve@example.com")
                #expect(unknown.problem == .invalidCredentials)
            }
        }
    }

    @Test func `kill -9 leaves no Postgres behind, and the next start goes on`() async throws {
        try await withFolder { folder in
            let port = try await Installation.freePort()
            let app = try await Dev.running(folder, port) { dev in
                #expect(!Dev.servers(in: folder).isEmpty)
                try await dev.program.kill()
                try await eventually("Postgres ends with its owner") { Dev.servers(in: folder).isEmpty ? () : nil }
                return dev.app
            }
            let again = try await Dev.running(folder, port) { $0.app }
            #expect(again == app)
        }
    }

    @Test func `a port or a folder that is taken is a plain complaint, and nothing is left running`() async throws {
        try await withFolder { folder in
            let port = try await Installation.freePort()
            try await Dev.running(folder + "/first", port) { dev in
                let second = try await Program.run(
                    ["dev", "--port", "\(port)", "--data", folder + "/second"], environment: [:])
                #expect(second.exit == SettingsTests.failure)
                // It was the system's own words without the port: "bind(descriptor:ptr:bytes:): …".
                #expect(
                    second.errors.contains("cannot listen on 127.0.0.1:\(port): another program listens there"),
                    "\(second.errors)")
                #expect(Dev.servers(in: folder + "/second").isEmpty)

                let other = try await Installation.freePort()
                let third = try await Program.run(
                    ["dev", "--port", "\(other)", "--data", folder + "/first"], environment: [:])
                #expect(third.exit == SettingsTests.failure)
                #expect(third.errors.contains("stop the other gatepost dev first"), "\(third.errors)")
                #expect(try await dev.signIn("nobody@example.com").status == 401)
            }
        }
    }

    /// The settings that it prints let other commands reach it, in any shell.
    private func expectReached(_ dev: Dev, by folder: String) async throws {
        let printed = try await Program.run(["dev", "--settings", "--data", folder], environment: [:])
        #expect(printed.exit == .done, "\(printed.errors)")
        let script = printed.output + "\"$1\" users list \"$2\" --json"
        let listed = try await OutsideProgram.run("/bin/sh", ["-c", script, "sh", Program.path, dev.app])
        #expect(String(decoding: listed, as: UTF8.self).contains("ada@example.com"))
        let nowhere = try await Program.run(["dev", "--settings", "--data", folder + "/none"], environment: [:])
        #expect(nowhere.exit == SettingsTests.usage && nowhere.errors.contains("no gatepost dev runs"))
    }

    /// A folder that the user whom Postgres runs as can enter.
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        try await Turnstile.shared.passing {
            let folder = "/tmp/gatepost-dev-\(UUID().uuidString.prefix(8))"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try await body(folder)
        }
    }
}

/// A running `gatepost dev`.
private struct Dev: Sendable {
    let program: Program
    let url: String
    let app: String
    let client: String
    /// The key that it prints for the admin API.
    let adminKey: String
    let http: HTTPClient

    static func running<Output>(
        _ folder: String, _ port: Int, _ body: (Dev) async throws -> Output
    ) async throws -> Output {
        let program = try await Program(["dev", "--port", "\(port)", "--data", folder], environment: [:])
        let http = try HTTPClient(.init { _ in true })
        let result: Result<Output, any Error>
        do {
            let app = try await program.line(beginning: "  demo app     ", within: .seconds(120))
            let client = try await program.line(beginning: "  its client   ")
            let key = try await program.line(beginning: "  admin key    ")
            let dev = Dev(
                program: program, url: "http://127.0.0.1:\(port)", app: app, client: client, adminKey: key, http: http)
            result = .success(try await body(dev))
        } catch {
            result = .failure(error)
        }
        await http.shutdown()
        _ = try? await program.terminate()
        _ = try? await program.kill()
        return try result.get()
    }

    /// The Postgres processes whose data lie below a folder.
    static func servers(in folder: String) -> [String] {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.filter { $0.allSatisfy(\.isNumber) }.filter { process in
            let command = (try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)) ?? ""
            return command.contains("/postgres\0") && command.contains(folder + "/")
        }
    }

    func post(_ path: String, _ fields: [String: String]) async throws -> HTTPResponse {
        let body = Array(try JSONEncoder().encode(fields))
        return try await http.send(
            HTTPRequest(
                "POST", "\(url)/v1/apps/\(app)/\(path)", headers: [.init("Content-Type", "application/json")],
                body: body))
    }

    /// Begins a sign-up; returns what the next request needs of it.
    func signUp(_ email: String) async throws -> [String: String] {
        let answer = try await post("sign-ups", ["email": email, "password": App.password])
        return ["flow": try #require(answer.field("flow")), "flow_token": try #require(answer.field("flow_token"))]
    }

    func signIn(_ email: String) async throws -> HTTPResponse {
        let challenge = try #require(CodeChallenge(verifier: App.codeVerifier)?.text)
        return try await post(
            "sign-ins",
            [
                "client_id": client, "redirect_uri": "http://localhost:3000/callback", "code_challenge": challenge,
                "code_challenge_method": "S256", "email": email, "password": App.password,
            ])
    }

    /// The code of the newest mail, as the catcher's page shows it.
    func codeFromPage(of email: String) async throws -> String {
        try await eventually("the mail is on the page") {
            let list = try await http.send(HTTPRequest("\(url)/dev/mails")).text
            guard list.contains(email), let path = list.firstMatch(of: /\/dev\/mails\/[0-9]+/)?.output else {
                return nil
            }
            let mail = try await http.send(HTTPRequest(url + path)).text
            return mail.firstMatch(of: /\b[0-9]{8}\b/).map { String($0.output) }
        }
    }
}

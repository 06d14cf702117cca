import Crypto
import Curl
import Foundation
import GatepostDev
import GatepostModel
import Testing
import TestSupport

/// `gatepost clients` as a developer types it.
@Suite("gatepost clients", .timeLimit(.minutes(20)))
struct ClientsCommandTests {
    private struct Made: Decodable {
        let client: String
        let secret: String?
    }

    private struct Client: Decodable {
        let client: String
        let name: String
        let type: String
        let party: String
        let subjectType: String
        let redirectUris: [String]
        let webOrigins: [String]
        let postLogoutRedirectUris: [String]
        let requiresPushedRequests: Bool
        let idTokenSignedResponseAlg: String
        let proof: String?
    }

    private struct Secrets: Decodable {
        struct Secret: Decodable {
            let id: String
            let prefix: String
        }

        let secret: String?
        let secrets: [Secret]
    }

    @Test func `a client is added, changed field by field, and listed`() async throws {
        try await Installation.running { installation in
            let app = try await installation.makeApp()
            let made = try await add(installation, app.id, "Web", "--redirect-uri", App.redirectURI)
            #expect(made.secret == nil)
            func change(_ arguments: String...) async throws -> Client {
                let outcome = try await Program.run(
                    ["clients", "change", app.id, made.client] + arguments + ["--json"],
                    environment: installation.settings)
                try #require(outcome.exit == .done, "\(outcome.errors)")
                return try outcome.json()
            }
            let changed = try await change(
                "--name", "Shop", "--web-origin", "https://shop.example", "--web-origin", "http://localhost:3000",
                "--post-logout-uri", "https://shop.example/bye", "--require-pushed")
            #expect(changed.name == "Shop" && changed.type == "public" && changed.proof == nil)
            #expect(changed.redirectUris == [App.redirectURI] && changed.requiresPushedRequests)
            #expect(changed.webOrigins.sorted() == ["http://localhost:3000", "https://shop.example"])
            #expect(changed.postLogoutRedirectUris == ["https://shop.example/bye"])

            let less = try await change("--clear", "web-origins", "--no-require-pushed")
            #expect(less.webOrigins.isEmpty && !less.requiresPushedRequests && less.name == "Shop")
            #expect(less.postLogoutRedirectUris == ["https://shop.example/bye"])

            let listed = try await installation.run("clients", "list", app.id)
            #expect(listed.output.contains(made.client) && listed.output.contains("Shop"))
            let shown = try await installation.run("clients", "show", app.id, made.client)
            #expect(shown.output.contains("post-logout URIs   https://shop.example/bye"))
            let kinds = try await app.auditKinds()
            #expect(kinds.filter { $0 == "client.changed" }.count == 2, "\(kinds)")
        }
    }

    @Test func `a client is signed for with RS256, its app gets the key, and ES256 is for who asks for it`()
        async throws
    {
        struct Key: Decodable {
            let algorithm: String
            let state: String
        }
        try await Installation.running { installation in
            func keys(_ app: String) async throws -> [String] {
                try await installation.run("keys", "list", app, "--json").json(as: [Key].self)
                    .map { "\($0.algorithm) \($0.state)" }
            }
            func algorithm(_ app: String, _ client: String, _ change: String...) async throws -> String {
                let arguments = change.isEmpty ? ["show"] : ["change"]
                let outcome = try await Program.run(
                    ["clients"] + arguments + [app, client] + change + ["--json"], environment: installation.settings)
                try #require(outcome.exit == .done, "\(outcome.errors)")
                return try outcome.json(as: Client.self).idTokenSignedResponseAlg
            }
            let app = try await installation.makeApp().id
            #expect(try await keys(app) == ["ES256 active"])
            let small = try await add(installation, app, "Small", "--id-token-alg", "ES256").client
            #expect(try await algorithm(app, small) == "ES256")
            #expect(try await keys(app) == ["ES256 active"])
            let web = try await add(installation, app, "Web").client
            #expect(try await algorithm(app, web) == "RS256")
            #expect(try await keys(app) == ["ES256 active", "RS256 active"])
            #expect(try await algorithm(app, web, "--id-token-alg", "ES256") == "ES256")
            let table = try await installation.run("keys", "list", app)
            #expect(table.output.contains("RS256"), "\(table.output)")

            struct Created: Decodable {
                let app: String
                let client: String
            }
            let created = try await installation.run("apps", "create", "Harbour", "--json").json(as: Created.self)
            #expect(try await keys(created.app) == ["ES256 active", "RS256 active"])
            #expect(try await algorithm(created.app, created.client) == "RS256")
        }
    }

    @Test func `whose a client is and how it knows users is changed, and is on record`() async throws {
        try await Installation.running { installation in
            let app = try await installation.makeApp()
            let made = try await add(installation, app.id, "Web", "--redirect-uri", App.redirectURI)
            func change(_ arguments: [String]) async throws -> Program.Outcome {
                try await Program.run(
                    ["clients", "change", app.id, made.client, "--json"] + arguments,
                    environment: installation.settings)
            }
            func changed(_ arguments: String...) async throws -> Client {
                let outcome = try await change(arguments)
                try #require(outcome.exit == .done, "\(outcome.errors)")
                return try outcome.json()
            }
            let third = try await changed("--party", "third_party")
            #expect(third.party == "third_party" && third.subjectType == "public")
            let pairwise = try await changed("--subject-type", "pairwise")
            #expect(pairwise.party == "third_party" && pairwise.subjectType == "pairwise")
            let shown = try await installation.run("clients", "show", app.id, made.client)
            #expect(shown.output.contains("party              third_party"))
            #expect(shown.output.contains("knows users by     pairwise subjects"))

            // Another host makes everybody somebody else to it, which has to be meant.
            let host = ["--redirect-uri", "https://other.example/callback"]
            let unmeant = try await change(host)
            #expect(unmeant.exit != .done && unmeant.errors.contains("subject_type"), "\(unmeant.errors)")
            let meant = try await changed(host[0], host[1], "--subject-type", "pairwise")
            #expect(meant.redirectUris == [host[1]] && meant.subjectType == "pairwise")
            let several = try await change(host + [host[0], App.redirectURI, "--subject-type", "pairwise"])
            #expect(several.exit != .done && several.errors.contains("one host"), "\(several.errors)")

            let back = try await changed("--party", "first_party", "--subject-type", "public", "--name", "Shop")
            #expect(back.party == "first_party" && back.subjectType == "public" && back.name == "Shop")
            let fields = try await installation.texts(
                """
                select details ->> 'fields' from audit_events
                 where app_id = '\(app.uuid)' and kind = 'client.changed' order by transaction_id, id
                """)
            #expect(
                fields == [
                    "party", "subject_type", "subject_type redirect_uris", "name party subject_type",
                ])
        }
    }

    /// Story: a client's name may hold what steers a terminal, and an admin who lists clients reads it in one.
    @Test func `a client's name cannot steer the terminal`() async throws {
        try await Installation.running { installation in
            let app = try await installation.makeApp()
            let name = "Web\u{1b}]0;owned\u{7}\u{202e}\nCLIENT\u{9b}2J"
            let made = try await add(installation, app.id, name)
            for arguments in [["list", app.id], ["show", app.id, made.client]] {
                let outcome = try await Program.run(["clients"] + arguments, environment: installation.settings)
                try #require(outcome.exit == .done, "\(outcome.errors)")
                #expect(outcome.output.contains(#"Web\u{1b}]0;owned\u{7}\u{202e}\u{a}CLIENT\u{9b}2J"#))
                #expect(
                    outcome.output.unicodeScalars.allSatisfy { !TokensCommandTests.steers($0) || $0 == "\n" },
                    "\(outcome.output)")
            }
            let shown = try await installation.run("clients", "show", app.id, made.client, "--json")
            #expect(try shown.json(as: Client.self).name == name)
        }
    }

    @Test func `a confidential client's secret is shown once, rotates and is revoked`() async throws {
        try await Installation.running { installation in
            try await installation.serve()
            let app = try await installation.makeApp()
            let made = try await add(installation, app.id, "Server", "--confidential")
            let first = try #require(made.secret)
            #expect(try await installation.clientToken(app.id, made.client, first) != nil)

            func secrets(_ arguments: String...) async throws -> Secrets {
                let outcome = try await Program.run(
                    ["clients", "secrets", app.id, made.client] + arguments + ["--json"],
                    environment: installation.settings)
                try #require(outcome.exit == .done, "\(outcome.errors)")
                return try outcome.json()
            }
            #expect(try await secrets().secret == nil)
            let rotated = try await secrets("--rotate")
            let second = try #require(rotated.secret)
            #expect(rotated.secrets.count == 2)
            for secret in [first, second] {
                #expect(try await installation.clientToken(app.id, made.client, secret) != nil)
            }
            let old = try #require(rotated.secrets.first { first.hasPrefix($0.prefix) })
            #expect(try await secrets("--revoke", old.id).secrets.count == 1)
            #expect(try await installation.clientToken(app.id, made.client, first) == nil)
            #expect(try await installation.clientToken(app.id, made.client, second) != nil)
        }
    }

    @Test func `a client's own keys come from a file`() async throws {
        try await Installation.running { installation in
            let app = try await installation.makeApp()
            let folder = FileManager.default.temporaryDirectory.path
            let (good, bad) = ("\(folder)/\(UUID().uuidString).json", "\(folder)/\(UUID().uuidString).json")
            let point = Array(P256.Signing.PrivateKey().publicKey.x963Representation)
            let (x, y) = (Base64URL.encode(point[1..<33]), Base64URL.encode(point[33..<65]))
            let key = #"{"kty":"EC","crv":"P-256","kid":"one","x":"\#(x)","y":"\#(y)"}"#
            try Data(#"{"keys":[\#(key)]}"#.utf8).write(to: URL(fileURLWithPath: good))
            try Data(#"{"keys":[]}"#.utf8).write(to: URL(fileURLWithPath: bad))
            defer { for path in [good, bad] { try? FileManager.default.removeItem(atPath: path) } }

            let made = try await add(installation, app.id, "Signer", "--confidential", "--keys-file", good)
            #expect(made.secret == nil)
            let shown = try await installation.run("clients", "show", app.id, made.client, "--json")
            #expect(try shown.json(as: Client.self).proof == "keys")
            let refused = try await installation.run(
                "clients", "change", app.id, made.client, "--keys-file", bad)
            #expect(refused.exit == SettingsTests.usage && refused.errors.contains("is no set of 1 to 10 public keys"))
        }
    }

    @Test(arguments: [
        ["--redirect-uri", "http://shop.example/callback"], ["--web-origin", "https://shop.example/"],
        ["--web-origin", "*"], ["--post-logout-uri", "javascript:alert(1)"], ["--name", ""], [],
        ["--web-origin", "https://a.example", "--clear", "web-origins"], ["--clear", "everything"],
        ["--keys-file", "/dev/null"], ["--party", "first"], ["--subject-type", "private"],
        ["--id-token-alg", "HS256"],
    ])
    func `what cannot be registered is a usage error`(_ arguments: [String]) async throws {
        // Found before anything is connected to: there are no settings.
        let outcome = try await Program.run(
            ["clients", "change", "app_01kjpsf48yf3gr2mrntwb7e2cn", "cli_01kjpsf48yefhv8zyzj6n25gza"] + arguments,
            environment: [:])
        #expect(outcome.exit == SettingsTests.usage, "\(outcome.errors)")
        #expect(!outcome.errors.contains("GATEPOST_"), "\(outcome.errors)")
    }

    @Test func `a list is as short as the API has it, for a new client too`() async throws {
        let many = (0...ClientRules.listCountMax).flatMap { ["--redirect-uri", "https://shop.example/\($0)"] }
        let app = "app_01kjpsf48yf3gr2mrntwb7e2cn"
        for command in [
            ["clients", "add", app, "Shop"], ["clients", "change", app, "cli_01kjpsf48yefhv8zyzj6n25gza"],
            ["apps", "create", "Shop"],
        ] {
            let outcome = try await Program.run(command + many, environment: [:])
            #expect(outcome.exit == SettingsTests.usage, "\(command)")
            #expect(outcome.errors.contains("redirect-uris are at most 50"), "\(command): \(outcome.errors)")
        }
    }

    private func add(_ installation: Installation, _ app: String, _ arguments: String...) async throws -> Made {
        let outcome = try await Program.run(
            ["clients", "add", app] + arguments + ["--json"], environment: installation.settings)
        try #require(outcome.exit == .done, "\(outcome.errors)")
        return try outcome.json()
    }
}

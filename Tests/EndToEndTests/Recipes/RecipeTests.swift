import Foundation
import Testing

/// docs/recipes, each followed as a reader would: every file, command, answer and page in it is real.
@Suite("Recipes", .timeLimit(.minutes(20)))
struct RecipeTests {
    private struct Question: Encodable {
        let recipe: String
        let base_url: String
        let app: String
        let client: String
        let admin: String
        /// In place of the recipe's own, 3000 and those behind it.
        let ports: [Int]
        /// Whether the person's browser runs scripts.
        let scripts: Bool
        /// Folders in which programs are looked for first.
        let programs: [String]
    }

    private struct Report: Decodable {
        struct Difference: Decodable {
            let step: String
            let shown: String?
            let actual: String
        }

        let done: [String]
        let wrong: [Difference]
        let logs: [String: String]
    }

    @Test func `Python: Authlib signs in to a Starlette app, and its API takes access tokens`() async throws {
        try await follow("python.md", steps: ["sh", "file", "file", "sh", "open", "sh"])
    }

    @Test func `Node: its standard library signs in to an app, and its API takes access tokens`() async throws {
        try await follow("node.md", steps: ["sh", "file", "file", "sh", "open", "sh"])
    }

    @Test func `Go: its standard library signs in to an app, and its API takes access tokens`() async throws {
        try await follow("go.md", steps: ["sh", "file", "file", "sh", "open", "sh"])
    }

    @Test func `Apache: mod_auth_openidc protects an app and its API`() async throws {
        try await follow("apache.md", steps: ["sh", "file", "file", "sh", "open", "sh"])
    }

    @Test func `nginx: auth_request protects an app, and an API to the end of a session`() async throws {
        try await follow("nginx.md", steps: ["sh", "file", "file", "file", "sh", "open", "sh"])
    }

    @Test func `a single-page app signs in and out by PKCE, in Chromium`() async throws {
        try await follow(
            "single-page.md", steps: ["sh", "file", "file", "file", "sh", "open", "press"], scripts: true)
    }

    @Test func `Python receives webhooks, each once, and refuses what is not signed`() async throws {
        try await follow("webhooks-python.md", steps: ["sh", "file", "sh", "check"])
    }

    @Test func `Node receives webhooks, each once, and refuses what is not signed`() async throws {
        try await follow("webhooks-node.md", steps: ["sh", "file", "sh", "check"])
    }

    @Test func `Swift: GatepostClient protects an app, which hears webhooks`() async throws {
        // Building it as a reader does takes minutes: this build has made the program of the recipe already, from the
        // text that stands there (SwiftRecipeTests), and `swift run` starts that.
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let program = URL(fileURLWithPath: Program.path).deletingLastPathComponent()
            .appendingPathComponent("recipe-swift").path
        let isMade = FileManager.default.createFile(
            atPath: folder.appendingPathComponent("swift").path,
            contents: Data("#!/bin/sh\n[ \"$*\" = 'run Notes' ] && exec '\(program)'\n".utf8),
            attributes: [.posixPermissions: 0o755])
        try #require(isMade)
        try await follow(
            "swift.md", steps: ["sh", "file", "file", "sh", "sh", "sh", "sh"], programs: [folder.path])
    }

    /// Follows a recipe from its first step to its last.
    private func follow(
        _ recipe: String, steps: [String], scripts: Bool = false, programs: [String] = []
    ) async throws {
        try await DevServer.running { dev in
            let report: Report = try await Outside.ask(
                "recipes/follow.py",
                Question(
                    recipe: Outside.root.appendingPathComponent("docs/recipes/\(recipe)").path,
                    base_url: dev.baseURL, app: dev.app, client: dev.client, admin: dev.admin,
                    ports: try await [
                        Installation.freePort(), Installation.freePort(), Installation.freePort(),
                    ], scripts: scripts, programs: programs),
                within: .seconds(300))
            for wrong in report.wrong {
                Issue.record("\(wrong.step)\nshown:\n\(wrong.shown ?? "")\nactual:\n\(wrong.actual)\n\(report.logs)")
            }
            #expect(report.done == steps)
        }
    }
}

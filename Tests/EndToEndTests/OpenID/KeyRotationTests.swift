import Foundation
import TestSupport
import Testing

/// Who verifies tokens elsewhere, while keys come and go.
@Suite("Keys under load", .timeLimit(.minutes(20)))
struct KeyRotationTests {
    private struct Question: Encodable {
        let recipes: String
        let source: String
        let cache: String
        let ports: [Int]
        let seconds: Int
        let issuer: String
        let base_url: String
        let app: String
        let client: String
        let secret: String
        let database: String
        let program: String
        let settings: [String: String]
    }

    private struct Report: Decodable {
        struct Told: Decodable {
            let taken: Int
            let refused: Int
            let wrong: [String]
        }

        let verifiers: [String: Told]
        let keys: [String]
    }

    @Test func `a rotation and a withdrawal under load: no valid token is refused, no withdrawn key is believed on`()
        async throws
    {
        try await Installation.running { installation in
            try await installation.serve()
            try await installation.work()
            let app = try await installation.makeApp()
            let client = try await app.makeConfidential(
                try await installation.makeAPIKey(), redirectURI: App.redirectURI)
            var ports: [Int] = []
            while ports.count < 6 { ports.append(try await Installation.freePort()) }

            let report: Report = try await Outside.ask(
                "rotate_keys.py",
                Question(
                    recipes: Outside.root.appendingPathComponent("docs/recipes").path, source: GoPartyTests.source,
                    cache: GoPartyTests.cache, ports: ports, seconds: 3,
                    issuer: "\(installation.baseURL)/apps/\(app.id)", base_url: installation.baseURL, app: app.id,
                    client: client.id, secret: try #require(client.secret),
                    database: installation.cluster.postgres.url(database: installation.database),
                    program: Program.path, settings: installation.settings), within: .seconds(400))

            #expect(report.keys.count == 3)
            #expect(Set(report.verifiers.keys) == ["python", "node", "go", "go-oidc", "apache"])
            for (name, told) in report.verifiers {
                #expect(told.wrong == [], "\(name)")
                #expect(told.taken > 20 && told.refused > 2, "\(name): \(told)")
            }
        }
    }
}

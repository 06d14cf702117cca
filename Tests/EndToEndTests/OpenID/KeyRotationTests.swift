import Foundation
import GatepostDev
import TestSupport
import Testing

/// Who verifies tokens elsewhere, while keys come and go.
@Suite("Keys under load", .timeLimit(.minutes(20)))
struct KeyRotationTests {
    private static let email = "ada@example.com"

    private struct Foreign: Encodable {
        let issuer: String
        let client: String
        let secret: String
    }

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
        let email: String
        let redirect_uri: String
        let foreign: Foreign
        let third: Foreign
    }

    private struct Report: Decodable {
        struct Told: Decodable {
            let taken: Int
            let refused: Int
            let wrong: [String]
        }

        let verifiers: [String: Told]
        let keys: [String]
        /// What each verifier answered to one good token, and to others.
        let strange: [String: [String: Int]]
        /// Whom idpyoidc signed in before, between and after.
        let party: [String]
    }

    @Test func `a rotation and a withdrawal under load: no valid token is refused, no withdrawn key is believed on`()
        async throws
    {
        try await Installation.running { installation in
            let report: Report = try await Outside.ask(
                "rotate_keys.py", try await question(installation), within: .seconds(400))

            let names: Set = ["python", "node", "go", "go-oidc", "apache"]
            #expect(report.keys.count == 3)
            #expect(report.party.count == 3 && Set(report.party).count == 1)
            #expect(Set(report.verifiers.keys) == names && Set(report.strange.keys) == names)
            for (name, told) in report.verifiers {
                #expect(told.wrong == [], "\(name)")
                #expect(told.taken > 20 && told.refused > 2, "\(name): \(told)")
            }
            for (name, answers) in report.strange {
                #expect(answers["its own"] == 200 && answers.count == 12, "\(name): \(answers)")
                // Who verifies by the keys believes a token for its life; who asks Gatepost learns of the end at once.
                #expect(answers["after a sign-out"] == (name == "apache" ? 401 : 200), "\(name)")
                // An ID token is no bearer's: go-oidc tells the two apart by their audience, the others by their type.
                let refused = answers.filter { !["its own", "after a sign-out"].contains($0.key) }
                #expect(refused.values.allSatisfy { $0 == 401 }, "\(name): \(answers)")
            }
        }
    }

    private func question(_ installation: Installation) async throws -> Question {
        try await installation.serve()
        try await installation.work()
        let key = try await installation.makeAPIKey()
        let app = try await installation.makeApp()
        try await app.openAccount(Self.email)
        let client = try await app.makeConfidential(key, redirectURI: App.redirectURI)
        let other = try await installation.makeApp("Harbour")
        let foreign = try await other.makeConfidential(key, redirectURI: App.redirectURI)
        let (third, thirdSecret) = try await installation.addConfidentialClient(to: app.id, "--third-party")
        var ports: [Int] = []
        while ports.count < 6 { ports.append(try await Installation.freePort()) }
        return Question(
            recipes: Outside.root.appendingPathComponent("docs/recipes").path, source: GoPartyTests.source,
            cache: GoPartyTests.cache, ports: ports, seconds: 1, issuer: "\(installation.baseURL)/apps/\(app.id)",
            base_url: installation.baseURL, app: app.id, client: client.id, secret: try #require(client.secret),
            database: installation.cluster.postgres.url(database: installation.database), program: Program.path,
            settings: installation.settings, email: Self.email, redirect_uri: App.redirectURI,
            foreign: Foreign(
                issuer: "\(installation.baseURL)/apps/\(other.id)", client: foreign.id,
                secret: try #require(foreign.secret)),
            third: Foreign(issuer: "\(installation.baseURL)/apps/\(app.id)", client: third, secret: thirdSecret))
    }
}

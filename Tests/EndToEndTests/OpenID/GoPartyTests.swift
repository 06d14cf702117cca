import Foundation
import TestSupport
import Testing

/// go-oidc, as Debian packages it, signs a person in from Go.
@Suite("go-oidc", .timeLimit(.minutes(20)))
struct GoPartyTests {
    private static let email = "ada@example.com"

    private struct Question: Encodable {
        let source: String
        let cache: String
        let port: Int
        let issuer: String
        let base_url: String
        let app: String
        let client: String
        let secret: String
        let email: String
    }

    private struct Answer: Decodable {
        let sub: String
        let email: String
        /// Whether userinfo, nonce and `at_hash` are of this sign-in, and whether a refresh gave another token.
        let same: Bool
        let nonce: Bool
        let at_hash: Bool
        let refreshed: Bool
        let refused: [String: Bool]
    }

    /// What is built once is kept beside the rest of the build.
    static let cache = Outside.root.appendingPathComponent(".build/go-cache").path
    /// The app that uses it.
    static let source = Outside.folder.deletingLastPathComponent().appendingPathComponent("go/oidc_app.go").path

    @Test func `go-oidc signs in with PKCE and a nonce, refreshes, and tells the two kinds of token apart`()
        async throws
    {
        try await Installation.running { installation in
            try await installation.serve()
            try await installation.work()
            let app = try await installation.makeApp()
            try await app.openAccount(Self.email)
            let port = try await Installation.freePort()
            let client = try await app.makeConfidential(
                try await installation.makeAPIKey(), redirectURI: "http://localhost:\(port)/callback")

            let answer: Answer = try await Outside.ask(
                "go_party.py",
                Question(
                    source: Self.source, cache: Self.cache, port: port,
                    issuer: "\(installation.baseURL)/apps/\(app.id)", base_url: installation.baseURL, app: app.id,
                    client: client.id, secret: try #require(client.secret), email: Self.email), within: .seconds(300))

            #expect(answer.email == Self.email && answer.sub.hasPrefix("usr_"))
            #expect(answer.same && answer.nonce && answer.at_hash && answer.refreshed)
            #expect(answer.refused.count == 4 && answer.refused.values.allSatisfy { $0 }, "\(answer.refused)")
        }
    }
}

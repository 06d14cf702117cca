import Curl
import Foundation
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// A person with a browser on the hosted pages: Debian's Chromium, with and without scripts, on a phone and a desktop,
/// in both languages, light and dark; and axe on every page.
///
/// Screenshots go to a temporary folder, or where `GATEPOST_TEST_SCREENSHOTS` says.
@Suite("Browser", .timeLimit(.minutes(20)))
struct BrowserTests {
    private struct Question: Encodable {
        let url: String
        /// The same server by its address, for requests that no browser makes.
        let api: String
        let app: String
        let client: String
        let key: String
        let screenshots: String
    }

    private struct Report: Decodable {
        struct Page: Decodable {
            let page: String
            let view: String
            let violations: [String]
        }

        let browser: String
        let pages: [Page]
        let wrong: [String]
        let walked: [String]
    }

    /// Any port: RFC 8252, section 7.3.
    private static let redirectURI = "http://127.0.0.1/callback"

    private static var screenshots: String {
        ProcessInfo.processInfo.environment["GATEPOST_TEST_SCREENSHOTS"]
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-screenshots").path
    }

    @Test func `a person gets through every page in every view, and so does somebody who cannot see it`() async throws {
        let port = try await Installation.freePort()
        // A name below localhost is a secure context: cookies with the prefix __Host- work without TLS.
        let settings = [
            "GATEPOST_BASE_URL": "http://app1.localhost:\(port)", "GATEPOST_LISTEN": "127.0.0.1:\(port)",
        ]
        try await Installation.running(settings: settings) { installation in
            try await installation.serve()
            try await installation.work()
            let question = try await prepared(installation, port)
            let report: Report = try await Outside.ask("browse.py", question, within: .seconds(600))

            #expect(report.wrong == [])
            for page in report.pages {
                #expect(page.violations == [], "\(page.page), \(page.view)")
            }
            #expect(Set(report.pages.map(\.view)).count == 4 && report.pages.count >= 20)
            #expect(await installation.relay.mails().isEmpty)
        }
    }

    /// An app in capture mode with a client, and a key that opens its mails.
    private func prepared(_ installation: Installation, _ port: Int) async throws -> Question {
        struct Made: Decodable {
            let app: String
            let client: String
        }
        let outcome = try await installation.run(
            "apps", "create", "Lighthouse", "--redirect-uri", Self.redirectURI, "--json")
        let made = try outcome.json(as: Made.self)
        let key = try await installation.makeAPIKey()
        let answer = try await installation.send(
            "PATCH", "/v1/admin/apps/\(made.app)",
            headers: ["Authorization": "Bearer \(key)", "Content-Type": "application/json"],
            body: #"{"settings": {"capture_mails": true}}"#)
        try #require(answer.status == 200, "\(answer.text)")
        return Question(
            url: installation.baseURL, api: "http://127.0.0.1:\(port)", app: made.app, client: made.client, key: key,
            screenshots: Self.screenshots)
    }
}

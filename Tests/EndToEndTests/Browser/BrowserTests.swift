import Curl
import Foundation
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// A person with a browser on the hosted pages: Debian's Chromium, with and without scripts, on a phone and a desktop,
/// in both languages, light and dark; and axe on every page.
///
/// Pictures go to a temporary folder, or where `GATEPOST_TEST_SCREENSHOTS` says.
@Suite("Browser", .timeLimit(.minutes(20)))
struct BrowserTests {
    /// The walks in three parts, each with an installation of its own, so that two can be taken at a time.
    enum Part: String, CaseIterable, Encodable {
        case entry, account, factor

        /// How many pages there are to see.
        var pageCount: Int {
            switch self {
            case .entry: 30
            case .account: 25
            case .factor: 12
            }
        }
    }

    private struct Question: Encodable {
        let part: Part
        let url: String
        /// The same server by its address, for requests that no browser makes.
        let api: String
        let app: String
        let client: String
        let key: String
        let screenshots: String
        /// Where the mails that the relay has taken appear, a file each.
        let mails: String
        /// Whom an operator has invited to administer.
        let invited: [String]
        /// The database as its superuser reaches it, so that time can pass.
        let database: String
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

    @Test(arguments: Part.allCases)
    func `a person gets through every page in every view, and so does somebody who cannot see it`(
        _ part: Part
    ) async throws {
        let port = try await Installation.freePort()
        // A name below localhost is a secure context: cookies with the prefix __Host- work without TLS.
        let settings = [
            "GATEPOST_BASE_URL": "http://app1.localhost:\(port)", "GATEPOST_LISTEN": "127.0.0.1:\(port)",
        ]
        try await Installation.running(settings: settings) { installation in
            try await installation.serve()
            try await installation.work()
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mails-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let question = try await prepared(part, installation, port, mails: folder)
            let report = try await walk(question, installation.relay, mails: folder)

            #expect(report.wrong == [], "\(report.walked)")
            for page in report.pages {
                #expect(page.violations == [], "\(page.page), \(page.view)")
            }
            // Each page in two views that differ in everything, and so once in each setting.
            let views = Dictionary(grouping: report.pages, by: \.page).mapValues { Set($0.map(\.view)) }
            #expect(views.count >= part.pageCount && views.values.allSatisfy { Self.pairs.contains($0) }, "\(views)")
        }
    }

    private static let pairs: [Set<String>] = [
        ["desktop-light-en", "phone-dark-de"], ["phone-light-de", "desktop-dark-en"],
    ]

    /// Takes the walks, while each mail that comes is put where the person's mailbox is.
    private func walk(_ question: Question, _ relay: SMTPServer, mails folder: URL) async throws -> Report {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var count = 0
                while true {
                    let mails = try await relay.waitForMails(count: count + 1, within: .seconds(3600))
                    for mail in mails[count...] {
                        count += 1
                        let name = String(repeating: "0", count: 6 - "\(count)".count) + "\(count).eml"
                        try Data(mail.bytes).write(to: folder.appendingPathComponent(name), options: .atomic)
                    }
                }
            }
            defer { group.cancelAll() }
            return try await Outside.ask("browser/browse.py", question, within: .seconds(900))
        }
    }

    /// An app with a client whose limits do not stop one address from walking everywhere, and a key.
    private func prepared(
        _ part: Part, _ installation: Installation, _ port: Int, mails folder: URL
    ) async throws -> Question {
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
            body: #"{"settings": {"client_mails_per_hour": 10000, "client_tries_per_quarter_hour": 10000}}"#)
        try #require(answer.status == 200, "\(answer.text)")
        let invited = ["margaret@example.com", "katherine@example.com"]
        for address in invited {
            let outcome = try await installation.run("admins", "invite", address, "--role", "owner")
            try #require(outcome.exit == .done, "\(outcome.errors)")
        }
        return Question(
            part: part, url: installation.baseURL, api: "http://127.0.0.1:\(port)", app: made.app, client: made.client,
            key: key,
            screenshots: Self.screenshots, mails: folder.path, invited: invited,
            database: installation.cluster.postgres.url(database: installation.database))
    }
}

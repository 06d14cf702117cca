import Curl
import GatepostModel
import TestSupport
import Testing

/// A client of somebody else's in the app of a server, which has a verified user.
struct ThirdParty: Sendable {
    let server: TestServer
    let id: ClientID

    /// Starts a server with such a client, and stops it after the body.
    static func running(_ body: (ThirdParty) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let id = try await server.anotherClient()
            try await server.change(id, #"{"party": "third_party"}"#)
            try await body(ThirdParty(server: server, id: id))
        }
    }

    /// The address to which the client sends a browser.
    func path(_ changes: [String: String?]) -> String {
        server.authorizePath(changes.merging(["client_id": "\(id)"]) { $1 })
    }

    /// Signs in for the client, as far as the question; the address of its page.
    func asked(
        _ changes: [String: String?], in browser: TestBrowser, email: String = "ada@example.com"
    ) async throws -> String {
        let asked = changes.merging(["client_id": "\(id)"]) { $1 }
        let answer = try await server.browse(asked, in: browser, email: email)
        let page = try #require(answer.location, "\(answer.text)")
        #expect(page.hasPrefix("\(server.hosted)/consent?request=arq_"), "\(page)")
        return page
    }

    /// Signs in and says yes; the code.
    @discardableResult
    func allow(_ changes: [String: String?], in browser: TestBrowser) async throws -> String {
        let answer = try await say("allow", to: try await asked(changes, in: browser), in: browser)
        return try #require(answer.parameter("code"), "\(answer.text)")
    }

    /// Answers the question by the form of its page, as it is shown in this browser now.
    func say(_ answer: String, to page: String, in browser: TestBrowser) async throws -> HTTPResponse {
        try await browser.submit(page, try await form(answer, on: page, in: browser))
    }

    /// What the form says of a page that is shown in this browser now.
    func form(
        _ answer: String, on page: String, in browser: TestBrowser
    ) async throws -> KeyValuePairs<String, String> {
        let shown = try await browser.open(page)
        let session = shown.text.firstMatch(of: /name="session" value="(ses_[a-z0-9]+)"/).map { String($0.1) }
        return ["session": try #require(session, "\(shown.text)"), "answer": answer]
    }

    /// What the client gets for a code.
    func tokens(_ code: String) async throws -> HTTPResponse {
        try await server.exchange(code, client: id)
    }

    func count(_ table: String) async throws -> Int64 {
        Int64(try await server.texts("select count(*)::text as text from \(table)").first ?? "") ?? -1
    }
}

extension TestServer {
    /// Changes a client as an admin does.
    func change(_ client: ClientID, _ json: String) async throws {
        let answer = try await admin(
            "PATCH", "\(adminAPI)/clients/\(client)", key: try await apiKey(.admin), json: json)
        #expect(answer.status == 200, "\(answer.text)")
    }
}

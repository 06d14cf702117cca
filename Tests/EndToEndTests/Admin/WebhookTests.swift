import Curl
import Foundation
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// Webhooks from the admin's request to a receiver that we did not write, over TLS.
@Suite("Webhooks", .timeLimit(.minutes(20)))
struct WebhookTests {
    private typealias Notice = WebhookReceiver.Notice

    /// What a story with notices left: what was received, and the secrets before and after the rotation.
    private struct Received {
        let notices: [Notice]
        let first: String
        let second: String

        func notices(at path: String) -> [Notice] { notices.filter { $0.path == path } }
    }

    @Test func `notices arrive over TLS and two foreign verifiers take them, and none that was changed`() async throws {
        let receiver = try await WebhookReceiver()
        let port = try await receiver.port()
        let received = try await Installation.running(settings: ["GATEPOST_CA_BUNDLE": receiver.certificate]) {
            try await tell($0, "https://localhost:\(port)", receiver)
        }
        await receiver.stop()

        #expect(received.notices.allSatisfy { $0.version.hasPrefix("TLSv1.") })
        try expectRetry(received)
        let ok = received.notices(at: "/ok")
        let types = try ok.map { try Self.type(of: $0) }
        #expect(types.sorted() == ["session.ended", "user.created", "user.verified"])
        try expectAsDocumented(ok)
        let answers = try await WebhookReceiver.verdicts(on: ok, secrets: [received.first, received.second])
        for (type, answers) in zip(types, answers) {
            // The session ended during the rotation: both secrets sign. The other two came before it.
            let signs = [true, type == "session.ended"]
            for (answer, signs) in zip(answers, signs) {
                #expect(answer.count == 14)
                for (name, isTaken) in answer {
                    #expect(isTaken == (signs && name.hasSuffix("as it came")), "\(type) \(name)")
                }
            }
        }
    }

    /// A person signs up, verifies, signs in and out; three endpoints are told.
    private func tell(
        _ installation: Installation, _ base: String, _ receiver: WebhookReceiver
    ) async throws -> Received {
        try await installation.serve()
        let app = try await installation.makeApp()
        let key = try await installation.makeAPIKey()
        let path = "/v1/admin/apps/\(app.id)/webhook-endpoints"
        @Sendable func ask(_ path: String, _ json: String) async throws -> [String: String] {
            let answer = try await installation.send(
                "POST", path, headers: ["Authorization": "Bearer \(key)", "Content-Type": "application/json"],
                body: json)
            try #require(answer.status < 300, "\(answer.text)")
            return ["id": answer.field("id") ?? "", "secret": answer.field("secret") ?? ""]
        }
        let all = #""event_types": ["user.created", "user.verified", "session.ended"]"#
        let ok = try await ask(path, #"{"url": "\#(base)/ok", \#(all)}"#)
        _ = try await ask(path, #"{"url": "\#(base)/busy", "event_types": ["user.created"]}"#)
        let gone = try await ask(path, #"{"url": "\#(base)/gone", "event_types": ["user.created"]}"#)
        try await installation.work()

        let signUp = try await app.signUp(Story.email)
        // One at /ok, two at /busy, one at /gone, and the mail.
        try await installation.waitUntilNothingIsOwed()
        let mail = try #require(await installation.relay.mails().first)
        #expect(try await app.verify(signUp, code: MailSecrets(mail).code).status == 200)
        try await installation.waitUntilNothingIsOwed()
        let rotated = try await ask("\(path)/\(ok["id"] ?? "")/rotate-secret", "{}")
        let code = try #require(try await app.signIn(Story.email).field("code"))
        let tokens = try App.Tokens(try await app.exchange(code))
        #expect(try await app.asUser(tokens.access, "DELETE", "sessions/current").status == 204)
        try await installation.waitUntilNothingIsOwed()

        let goneUUID = hex(WebhookEndpointID(gone["id"] ?? "")?.uuid.bytes)
        let disabled = try await installation.texts(
            "select disabled_reason from webhook_endpoints where id = '\(goneUUID)'")
        #expect(disabled == ["gone"])
        return Received(
            notices: try await receiver.notices(count: 6), first: ok["secret"] ?? "", second: rotated["secret"] ?? "")
    }

    private func expectRetry(_ received: Received) throws {
        let busy = received.notices(at: "/busy")
        #expect(busy.map(\.status) == [503, 204])
        #expect(Set(busy.map(\.body)).count == 1 && Set(busy.map { $0.headers["webhook-id"] }).count == 1)
        #expect(Set(busy.map { $0.headers["webhook-timestamp"] }).count == 2)
        #expect(received.notices(at: "/gone").map(\.status) == [410])
        #expect(received.notices.count == 6)
    }

    /// The examples of docs/api.md have the form of what was received: the same members, and ids of the same kinds.
    private func expectAsDocumented(_ notices: [Notice]) throws {
        let document = try String(contentsOf: Outside.root.appendingPathComponent("docs/api.md"), encoding: .utf8)
        let examples = document.split(separator: "\n").filter { $0.hasPrefix(#"{"data":"#) }.map(String.init)
        #expect(examples.count == 2)
        for example in examples {
            let type = try #require(example.firstMatch(of: /"type":"([a-z._]+)"/)).1
            let notice = try #require(notices.first { $0.body.contains("\"type\":\"\(type)\"") })
            let forms = [example, notice.body].map { text in
                text.replacing(/_[0-9a-z]{26}"/, with: #"_…""#).replacing(/"timestamp":"[^"]*"/, with: "")
                    .replacing(/"email":"[^"]*"/, with: #""email""#)
            }
            #expect(forms[0] == forms[1])
        }
    }

    private static func type(of notice: Notice) throws -> String {
        struct Body: Decodable {
            let type: String
        }
        return try JSONDecoder().decode(Body.self, from: Data(notice.body.utf8)).type
    }
}

extension Installation {
    /// An API key for all apps, by the command line.
    func makeAPIKey(_ role: String = "admin") async throws -> String {
        struct Made: Decodable {
            let key: String
        }
        let outcome = try await run(
            "admins", "api-keys", "create", "Test", "--role", role, "--days", "1", "--json")
        try #require(outcome.exit == .done, "\(outcome.errors)")
        return try outcome.json(as: Made.self).key
    }
}

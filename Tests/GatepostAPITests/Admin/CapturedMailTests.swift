import Curl
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import TestSupport
import Testing

/// Mails of an app in capture mode: kept to be read, and never sent, which a real SMTP server shows.
@Suite("Capture mode")
struct CapturedMailTests {
    private func setCapture(_ on: Bool, _ server: TestServer, key: String) async throws {
        let answer = try await server.admin(
            "PATCH", server.adminAPI, key: key, json: #"{"settings": {"capture_mails": \#(on)}}"#)
        #expect(answer.status == 200, "\(answer.text)")
        server.app.database.forget(server.app.id)
    }

    /// A server whose app captures, and a sink that its worker would send to.
    private func capturing(_ body: (TestServer, MailSink, String) async throws -> Void) async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin, in: server.app.id)
            try await setCapture(true, server, key: key)
            try await MailSink.running { sink in try await body(server, sink, key) }
        }
    }

    private func path(_ server: TestServer) -> String { "\(server.adminAPI)/captured-mails" }

    @Test func `a mail is not sent, can be read, and what it says works`() async throws {
        try await capturing { server, sink, key in
            let begun = try await server.begin("Ada@example.com")
            try await server.app.drainOutbox(to: sink)

            #expect(await sink.mails().isEmpty)
            let entry = try #require(try await server.app.ledger().first)
            #expect(entry.state == MessageEnd.suppressed.rawValue && entry.reason == MailCapture.reason)
            #expect(entry.attemptCount == 0)

            let list = try await server.admin("GET", path(server) + "?address=ada@example.com", key: key)
            let item = try #require(list.users.first, "\(list.text)")
            #expect(list.users.count == 1 && item["to"] as? String == "Ada@example.com")
            #expect(item["kind"] as? String == "mail.verification" && !list.text.contains(begun.code))
            let id = try #require(item["id"] as? String)
            let opened = try await server.admin("GET", "\(path(server))/\(id)", key: key)
            #expect(opened.field("text")?.contains(begun.link) == true, "\(opened.text)")
            #expect(opened.field("raw")?.contains("Message-ID: <\(id)@") == true)
            #expect(try await server.verify(begun).status == 200)
            #expect(try await server.events().contains("captured_mail.opened"))
            let others = try await server.admin("GET", path(server) + "?address=grace@example.com", key: key)
            #expect(others.users.isEmpty)
        }
    }

    @Test func `an app that is not in capture mode sends, and shows nothing`() async throws {
        try await capturing { server, sink, key in
            _ = try await server.begin("ada@example.com")
            try await server.app.drainOutbox(to: sink)
            try await setCapture(false, server, key: key)
            #expect(try await server.admin("GET", path(server), key: key).problem == .conflict)
            #expect(try await server.texts("select id::text as text from captured_mails") == [])

            _ = try await server.begin("grace@example.com")
            try await server.app.drainOutbox(to: sink)
            #expect(await sink.mails().count == 1)
        }
    }

    @Test func `no dump shows what a captured mail says, and no other row opens it`() async throws {
        try await capturing { server, sink, key in
            let begun = try await server.begin("ada@example.com")
            _ = try await server.begin("grace@example.com")
            try await server.app.drainOutbox(to: sink)
            let dump = try await server.texts("select encode(content_sealed, 'escape') as text from captured_mails")
            #expect(dump.count == 2 && dump.allSatisfy { !$0.contains(begun.code) && !$0.contains("Confirm") })
            let rows = try await server.app.database.batch(in: server.app.scope) { batch in
                batch.capturedMails(at: server.app.clock.now, limit: 10, withContent: true)
            }
            #expect(throws: SealBroken.self) {
                try CapturedContent(
                    sealed: rows[0].contentSealed, of: rows[1].id, in: server.app.id, keys: server.app.keys)
            }
        }
    }

    @Test func `a mail is read for a week, though no job has run`() async throws {
        try await capturing { server, sink, key in
            _ = try await server.begin("ada@example.com")
            try await server.app.drainOutbox(to: sink)
            let id = try #require(
                try await server.admin("GET", path(server), key: key).users.first?["id"] as? String)
            server.app.clock.advance(by: Lifetimes.capturedMail)
            let late = try await server.apiKey(.admin, in: server.app.id)
            #expect(try await server.admin("GET", path(server), key: late).users.isEmpty)
            #expect(try await server.admin("GET", "\(path(server))/\(id)", key: late).problem == .notFound)
        }
    }

    @Test func `the newest thousand are kept`() async throws {
        try await capturing { server, _, key in
            let app = server.app
            for batchNumber in 0..<3 {
                try await app.database.batch(in: app.scope) { batch in
                    for number in 0..<335 {
                        guard let to = EmailAddress("ada\(batchNumber)-\(number)@example.com") else { continue }
                        let new = NewCapturedMail(
                            id: app.newID(), kind: "mail.test", userID: nil, flowID: nil, recipient: to,
                            contentSealed: [0])
                        let moment = app.clock.now + .seconds(Int64(batchNumber * 1000 + number))
                        batch.insertCapturedMail(new, at: moment)
                    }
                }
            }
            #expect(try await server.texts("select count(*)::text as text from captured_mails") == ["1000"])
            #expect(
                try await server.texts(
                    "select recipient as text from captured_mails order by captured_at, id limit 1")
                    == ["ada0-5@example.com"])
        }
    }

    @Test func `support and auditors do not see them`() async throws {
        try await capturing { server, _, _ in
            for role in [AdminRole.support, .auditor] {
                let key = try await server.apiKey(role)
                #expect(try await server.admin("GET", path(server), key: key).problem == .permissionDenied)
            }
        }
    }
}

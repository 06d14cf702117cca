import Curl
import GatepostDev
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Audit: download link", .ownDatabase)
struct AuditExportLinkTests {
    /// An export that an admin has asked for, and the mail about it.
    private struct Ready {
        let admin: TestServer.Admin
        let export: String
        let file: [UInt8]
        /// From the first slash on.
        let link: String
    }

    private func ready(_ server: TestServer) async throws -> Ready {
        let admin = try await server.makeAdmin("auditor@example.com", .auditor, in: server.app.id)
        try await server.plant()
        server.app.clock.advance(by: .seconds(1))
        return try await MailSink.running { sink in
            let (id, file) = try await server.export(#"{"format": "csv"}"#, key: admin.key, to: sink)
            try await server.app.drainAll(to: sink)
            let mails = await sink.mails()
            let mail = try #require(mails.first)
            #expect(mails.count == 1 && mail.recipients == ["auditor@example.com"])
            #expect(mail.header("Subject")?.contains("Test app") == true)
            return Ready(admin: admin, export: id, file: file.body, link: try linkPath(in: mail.text))
        }
    }

    /// The link of a mail, whose lines may be folded by quoted-printable.
    private func linkPath(in text: String) throws -> String {
        let plain = text.replacing("=\r\n", with: "").replacing("=3D", with: "=")
        let match = try #require(
            plain.firstMatch(of: #/https://auth\.example(\/apps\/\S+\/links\/glk_[A-Za-z0-9_-]+)/#))
        return String(match.1)
    }

    @Test func `the mail's link shows a page, gives the file once and is audited where it belongs`() async throws {
        try await TestServer.running { server in
            let ready = try await ready(server)
            for method in ["HEAD", "GET", "GET", "GET"] {
                let page = try await server.send(method, ready.link)
                #expect(page.status == 200)
                if method == "GET" { #expect(page.text.contains("Fetch the file") && page.text.contains("Test app")) }
            }
            #expect(try await server.downloads().count == 1)

            let file = try await server.submit(ready.link, form: [:])

            #expect(file.status == 200 && file.body == ready.file)
            #expect(file.header("Content-Disposition")?.contains("\(ready.export).csv") == true)
            #expect(try await server.downloads().last == "admin")
            for method in ["GET", "POST"] {
                let gone =
                    method == "GET"
                    ? try await server.send("GET", ready.link) : try await server.submit(ready.link, form: [:])
                #expect(gone.status == 410 && gone.text.contains("This link no longer works"))
            }
            #expect(try await server.fetch(ready.export, key: ready.admin.key).body == ready.file)
        }
    }

    @Test func `of sixteen racing clicks one gets the file`() async throws {
        try await TestServer.running { server in
            let ready = try await ready(server)
            let statuses = try await race(16) { try await server.submit(ready.link, form: [:]).status }
            #expect(statuses.count { $0 == 200 } == 1 && statuses.count { $0 == 410 } == 15)
            #expect(try await server.downloads().count { $0 == "admin" } == 1)
        }
    }

    @Test func `an expired link is refused, and lives to its last moment`() async throws {
        try await TestServer.running { server in
            let ready = try await ready(server)
            let texts = try await server.superuserTexts(
                "select (extract(epoch from expires_at) * 1000000)::int8::text from flows")
            let end = Instant(microseconds: try #require(texts.first.flatMap { Int64($0) }))
            server.app.clock.set(end - .microseconds(1))
            #expect(try await server.send("GET", ready.link).status == 200)
            server.app.clock.set(end)
            #expect(try await server.send("GET", ready.link).status == 410)
            #expect(try await server.submit(ready.link, form: [:]).status == 410)
        }
    }

    @Test(arguments: [
        "delete from admin_grants", "update admin_grants set role = 'support'",
        "update users set state = 'deactivated', deactivated_at = now() where email = 'auditor@example.com'",
        "update users set auth_epoch = auth_epoch + 1", "delete from audit_export_parts; delete from audit_exports",
    ]) func `a link is dead once its reader may not have the file, or it is gone`(statement: String) async throws {
        try await TestServer.running { server in
            let ready = try await ready(server)
            for part in statement.split(separator: "; ") { try await server.tamper(String(part)) }
            #expect(try await server.send("GET", ready.link).status == 410)
            #expect(try await server.submit(ready.link, form: [:]).status == 410)
            #expect(try await server.downloads().count == 1)
        }
    }

    @Test func `a link opens nothing in another app, and no form of another site uses it`() async throws {
        try await TestServer.running { server in
            let ready = try await ready(server)
            let foreign = ready.link.replacing("\(AppID.gatepost)", with: "\(server.app.id)")
            #expect(try await server.send("GET", foreign).status == 410)
            let forged = try await server.submit(ready.link, form: [:], headers: ["Sec-Fetch-Site": "cross-site"])
            #expect(forged.status == 403)
            #expect(try await server.submit(ready.link, form: [:]).status == 200)
        }
    }

    @Test(arguments: [
        ("delete from admin_grants", "permission_revoked"),
        ("update users set auth_epoch = auth_epoch + 1", "auth_epoch_raised"),
        ("delete from audit_exports", "export_missing"),
        ("update flows set state = 'passed', ended_at = now()", "flow_passed"),
    ]) func `a mail that has become wrong while it waited is not sent`(
        statement: String, reason: String
    ) async throws {
        try await TestServer.running { server in
            let admin = try await server.makeAdmin("auditor@example.com", .auditor)
            try await MailSink.running { sink in
                let id = try await server.beginExport(#"{"format": "csv"}"#, key: admin.key)
                try await server.holdMails { try await server.finish(id, key: admin.key, to: sink) }
                try await server.tamper(statement)
                try await server.app.drainAll(to: sink)
                #expect(await sink.mails().isEmpty)
            }
            let ends = try await server.superuserTexts(
                "select outcome || ' ' || reason from deliveries where kind = 'mail.audit_export_ready'")
            #expect(ends == ["obsolete \(reason)"])
        }
    }

    @Test func `the built-in app's own trail is exported and fetched like any other`() async throws {
        try await TestServer.running { server in
            let admin = try await server.makeAdmin("auditor@example.com", .auditor)
            let exports = "/v1/admin/apps/\(AppID.gatepost)/audit-exports"
            let support = try await server.makeAdmin("support@example.com", .support)
            // A refusal of the built-in app's own, so that there is something to export.
            _ = try await server.admin("GET", exports, key: support.key)
            server.app.clock.advance(by: .seconds(1))
            let begun = try await server.admin("POST", exports, key: admin.key, json: #"{"format": "ndjson"}"#)
            let id = try #require(begun.field("id"), "\(begun.text)")
            let link = try await MailSink.running { sink in
                for _ in 0..<10_000 {
                    try await server.app.drainAll(to: sink)
                    guard await sink.mails().isEmpty else { break }
                    server.app.clock.advance(by: .seconds(1))
                }
                return try linkPath(in: try #require(await sink.mails().first).text)
            }
            let file = try await server.submit(link, form: [:])
            #expect(file.status == 200 && file.text.contains("permission_denied"))
            #expect(try await server.admin("GET", "\(exports)/\(id)/file", key: admin.key).body == file.body)
        }
    }

    @Test func `a program of an operator's gets no mail`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor, life: .days(30))
            try await MailSink.running { sink in
                _ = try await server.export(#"{"format": "csv"}"#, key: key, to: sink)
                #expect(await sink.mails().isEmpty)
            }
            #expect(try await server.superuserTexts("select id::text from flows") == [])
        }
    }
}

extension TestServer {
    /// Who has fetched files of this app, in order.
    fileprivate func downloads() async throws -> [String] {
        try await texts(
            """
            select actor_kind as text from audit_events where kind = 'audit_export.downloaded'
             order by transaction_id, id
            """)
    }

    /// The first column of a statement's rows, across apps.
    fileprivate func superuserTexts(_ statement: String) async throws -> [String] {
        let pool = try await TestDatabase.current.superuserPool()
        let result = try await pool.batch([.trusted(statement)], on: .exclusive, deadline: .seconds(10))
        await pool.shutdown()
        return try result[0].map { try $0.get(0, as: String.self) }
    }

    /// Keeps mails from being claimed while `body` runs.
    fileprivate func holdMails(_ body: () async throws -> Void) async throws {
        try await tamper(
            """
            create function hold_mail() returns trigger language plpgsql as $$
            begin new.held_at := new.created_at; return new; end $$
            """)
        try await tamper(
            """
            create trigger mails_are_held before insert on outbox for each row when (new.route = 'mail')
            execute function hold_mail()
            """)
        try await body()
        try await tamper("drop trigger mails_are_held on outbox")
        try await tamper("update outbox set held_at = null")
    }
}

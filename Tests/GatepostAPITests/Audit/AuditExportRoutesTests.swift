import Crypto
import Curl
import Foundation
import GatepostModel
import GatepostStore
import TestSupport
import Testing

@Suite("Audit: export", .ownDatabase)
struct AuditExportRoutesTests {
    @Test func `a finished export has each event once, and its manifest says what the file is`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor, in: server.app.id, life: .days(30))
            var ids: [String] = []
            for number in 0..<20 {
                server.app.clock.advance(by: .seconds(1))
                ids.append("\(try await server.plant(details: ["number": "\(number)"]))")
            }
            let until = server.app.clock.now + .microseconds(1)
            server.app.clock.advance(by: .seconds(1))

            let (id, file) = try await server.export(#"{"format": "ndjson", "until": "\#(until)"}"#, key: key)
            let shown = try await server.admin("GET", "\(server.exportsPath)/\(id)", key: key)

            #expect(file.eventIDs == ids)
            #expect(file.body.last == UInt8(ascii: "\n"))
            let hash = SHA256.hash(data: Data(file.body)).map { String(format: "%02x", $0) }.joined()
            #expect(shown.field("manifest.sha256") == hash)
            #expect(shown.field("manifest.count") == "20")
            #expect(shown.field("manifest.bytes") == "\(file.body.count)")
            #expect(shown.field("manifest.range.until") == "\(until)")
            #expect(shown.field("manifest.format") == "ndjson")
            #expect(shown.field("manifest.finished_at") != nil)
            #expect(file.header("ETag") == "\"\(hash)\"")
            #expect(file.header("Content-Length") == "\(file.body.count)")
            #expect(file.header("Content-Type") == "application/x-ndjson")
            #expect(file.header("Content-Disposition") == "attachment; filename=\"\(id).ndjson\"")
            let listed = try await server.admin("GET", server.exportsPath, key: key)
            #expect(listed.eventIDs == [id])
            #expect(
                try await server.events().filter { $0.hasPrefix("audit_export.") } == [
                    "audit_export.requested", "audit_export.finished", "audit_export.downloaded",
                ])
        }
    }

    @Test func `a line is an object with its keys in order and nothing in it breaks the line`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor, life: .days(30))
            let user: UserID = server.app.newID()
            let moment = server.app.clock.now
            let id = try await server.plant(
                user: user, userAgent: "a\"b/ü", details: ["b": "two\nlines", "a": "=1"])
            server.app.clock.advance(by: .seconds(1))

            let (_, file) = try await server.export(#"{"format": "ndjson"}"#, key: key)

            #expect(
                file.text == """
                    {"actor_kind":"user","created_at":"\(moment)","details":{"a":"=1","b":"two\\nlines"},"id":"\(id)",\
                    "ip":"192.0.2.7","kind":"sign_in.passed","user_agent":"a\\"b/ü","user_id":"\(user)"}

                    """)
        }
    }

    @Test func `a range takes its first moment and leaves its last one out; filters narrow it`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor, life: .days(30))
            let (start, ada): (Instant, UserID) = (server.app.clock.now, server.app.newID())
            let moments = [-1, 0, 500_000, 999_999, 1_000_000].map { start + .microseconds($0) }
            var ids: [String] = []
            for (number, moment) in moments.enumerated() {
                let kind: AuditEvent.Kind = number == 2 ? .sessionEnded : .signInPassed
                ids.append("\(try await server.plant(kind, at: moment, user: number < 3 ? ada : nil))")
            }
            server.app.clock.advance(by: .seconds(10))
            let range = #""since": "\#(start)", "until": "\#(start + .seconds(1))""#

            let whole = try await server.export(#"{"format": "ndjson", \#(range)}"#, key: key).file
            let ofAda = try await server.export(#"{"format": "ndjson", "user": "\#(ada)", \#(range)}"#, key: key).file
            let ended = try await server.export(
                #"{"format": "ndjson", "kinds": ["session.ended"], \#(range)}"#, key: key
            ).file

            #expect(whole.eventIDs == Array(ids[1...3]))
            #expect(ofAda.eventIDs == Array(ids[1...2]))
            #expect(ended.eventIDs == [ids[2]])
        }
    }

    @Test(arguments: AuditExportFormat.allCases) func `an empty range makes an empty file`(
        format: AuditExportFormat
    ) async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor, life: .days(30))
            try await server.plant()
            let past = server.app.clock.now - .days(1)

            let (id, file) = try await server.export(
                #"{"format": "\#(format.rawValue)", "until": "\#(past)"}"#, key: key)
            let shown = try await server.admin("GET", "\(server.exportsPath)/\(id)", key: key)

            #expect(file.status == 200 && shown.field("manifest.count") == "0")
            let header =
                "id,created_at,kind,actor_kind,actor_id,user_id,client_id,session_id,flow_id,reason,ip,user_agent,"
                + "details\r\n"
            #expect(file.text == (format == .csv ? header : ""))
        }
    }

    @Test func `a repeat under the same key begins one export`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor, life: .days(30))
            let answers = try await race(8) {
                try await server.admin(
                    "POST", server.exportsPath, key: key, json: #"{"format": "csv"}"#, idempotencyKey: "monday")
            }
            #expect(Set(answers.map { $0.field("id") }).count == 1)
            #expect(answers.allSatisfy { $0.status == 202 })
            #expect(try await server.texts("select id::text as text from audit_exports").count == 1)
        }
    }

    @Test func `a running export has no file yet, and more than five at a time are refused`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor, life: .days(30))
            let id = try await server.beginExport(#"{"format": "csv"}"#, key: key)
            #expect(try await server.fetch(id, key: key).problem == .conflict)
            for _ in 1..<AuditExportLimits.runningMax {
                _ = try await server.beginExport(#"{"format": "csv"}"#, key: key)
            }
            let more = try await server.admin("POST", server.exportsPath, key: key, json: #"{"format": "csv"}"#)
            #expect(more.problem == .conflict)
            #expect(try await server.events().contains("request.refused conflict"))
        }
    }

    @Test(arguments: [
        #"{}"#, #"{"format": "xml"}"#, #"{"format": "csv", "kinds": []}"#, #"{"format": "csv", "kinds": ["a.b"]}"#,
        #"{"format": "csv", "until": "2099-01-01T00:00:00Z"}"#, #"{"format": "csv", "user": "ada"}"#,
        #"{"format": "csv", "since": "2026-02-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"}"#,
    ]) func `an export that cannot be whole or means nothing is refused`(json: String) async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor, life: .days(30))
            let answer = try await server.admin("POST", server.exportsPath, key: key, json: json)
            #expect(answer.problem == .invalidRequest, "\(answer.text)")
        }
    }

    @Test func `an auditor exports, support does not, and another app sees nothing`() async throws {
        try await TestServer.running { server in
            try await server.plant()
            server.app.clock.advance(by: .seconds(1))
            let other = try await server.otherApp()
            let auditor = try await server.apiKey(.auditor, in: server.app.id, life: .days(30))
            let support = try await server.apiKey(.support, life: .days(30))
            let (id, file) = try await server.export(#"{"format": "ndjson"}"#, key: auditor)
            #expect(file.eventIDs.count == 1)

            let refused = try await server.admin("POST", server.exportsPath, key: support, json: #"{"format": "csv"}"#)
            #expect(refused.problem == .permissionDenied)
            #expect(try await server.fetch(id, key: support).problem == .permissionDenied)
            let foreign = try await server.apiKey(.auditor, in: other.id, life: .days(30))
            #expect(try await server.fetch(id, key: foreign).problem == .permissionDenied)
            let theirs = "/v1/admin/apps/\(other.id)/audit-exports"
            for path in ["\(theirs)/\(id)", "\(theirs)/\(id)/file"] {
                #expect(try await server.admin("GET", path, key: foreign).problem == .notFound)
            }
            #expect(try await server.admin("GET", theirs, key: foreign).eventIDs == [])
        }
    }

    @Test func `an export is gone at the end of its seven days, whether or not a job has run`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor, life: .days(30))
            let begun = server.app.clock.now
            let (id, _) = try await server.export(#"{"format": "csv"}"#, key: key)

            server.app.clock.set(begun + .days(7) - .microseconds(1))
            #expect(try await server.fetch(id, key: key).status == 200)
            server.app.clock.set(begun + .days(7))
            #expect(try await server.fetch(id, key: key).problem == .notFound)
            #expect(try await server.admin("GET", "\(server.exportsPath)/\(id)", key: key).problem == .notFound)
            #expect(try await server.admin("GET", server.exportsPath, key: key).eventIDs == [])
        }
    }
}

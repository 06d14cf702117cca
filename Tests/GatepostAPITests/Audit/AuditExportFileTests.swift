import Curl
import Foundation
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Audit: file", .ownDatabase)
struct AuditExportFileTests {
    @Test func `a broken download goes on at any byte, and the pieces are the file`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor, life: .days(30))
            // More than one part.
            try await server.plantMany(6000)
            server.app.clock.advance(by: .seconds(1))
            let (id, whole) = try await server.export(#"{"format": "ndjson"}"#, key: key)
            let parts = try await server.texts(
                "select byte_offset::text as text from audit_export_parts order by number")
            #expect(whole.objects.count == 6000 && parts.count >= 3)

            let edges = parts.compactMap { Int($0) }.flatMap { [$0 - 1, $0, $0 + 1] } + [whole.body.count - 1]
            for start in edges where start > 0 {
                let rest = try await server.fetch(id, key: key, headers: ["Range": "bytes=\(start)-"])
                #expect(rest.status == 206 && rest.body == Array(whole.body[start...]), "from \(start)")
                #expect(
                    rest.header("Content-Range") == "bytes \(start)-\(whole.body.count - 1)/\(whole.body.count)")
            }
            let from0 = try await server.fetch(id, key: key, headers: ["Range": "bytes=0-"])
            #expect(from0.status == 200 && from0.body == whole.body)
            let tooFar = try await server.fetch(id, key: key, headers: ["Range": "bytes=\(whole.body.count)-"])
            #expect(tooFar.problem == .rangeNotSatisfiable)
            #expect(tooFar.header("Content-Range") == "bytes */\(whole.body.count)")
            // A range of another kind, or of another file, is answered with the whole.
            for headers: KeyValuePairs<String, String> in [
                ["Range": "bytes=1-2"], ["Range": "lines=1-"], ["Range": "bytes=9-", "If-Range": "\"other\""],
            ] {
                let answer = try await server.fetch(id, key: key, headers: headers)
                #expect(answer.status == 200 && answer.body == whole.body)
            }
            let head = try await server.fetch(id, key: key, method: "HEAD")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(head.header("Content-Length") == "\(whole.body.count)")
        }
    }

    @Test func `no cell of a CSV file is a formula, and Python reads back what was written`() async throws {
        let hostile = [
            "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\tx", "plain", "a,b", "a\"b", "two\r\nlines", "",
            "'quoted", "ü=",
        ]
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor, life: .days(30))
            for text in hostile {
                // As a stranger may have sent it, past what a request's origin filters.
                try await server.tamper(
                    """
                    insert into audit_events (app_id, id, kind, actor_kind, user_agent, details, created_at)
                    values (\(server.sqlID), gen_random_uuid(), 'sign_in.refused', 'anyone', $text$\(text)$text$,
                            jsonb_build_object('n', $text$\(text)$text$), '\(server.app.clock.now)')
                    """)
            }
            server.app.clock.advance(by: .seconds(1))
            let (_, file) = try await server.export(#"{"format": "csv"}"#, key: key)

            #expect(file.header("Content-Type") == "text/csv; charset=utf-8")
            let read = try await OutsideProgram.runPython(
                """
                import csv, io, json, sys
                text = sys.stdin.buffer.read().decode('utf-8')
                rows = list(csv.reader(io.StringIO(text, newline=''), strict=True))
                assert all(len(row) == len(rows[0]) for row in rows), rows
                assert all(cell[:1] not in ('=', '+', '-', '@', '\\t', '\\r') for row in rows for cell in row), rows
                names = rows[0]
                typed, details = names.index('user_agent'), names.index('details')
                json.dump([[row[typed], json.loads(row[details])['n']] for row in rows[1:]], sys.stdout)
                """, input: file.body)
            let pairs = try JSONDecoder().decode([[String]].self, from: Data(read))
            let expected = hostile.map { text in
                ["=", "+", "-", "@", "\t"].contains { text.hasPrefix($0) } ? "'" + text : text
            }
            #expect(pairs.map { $0[0] } == expected)
            #expect(pairs.map { $0[1] } == hostile)
        }
    }

    @Test func `rows of slower transactions are in the file, each once`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.auditor, life: .days(30))
            let moment = server.app.clock.now
            server.app.clock.advance(by: .seconds(1))
            let pool = try await TestDatabase.current.superuserPool()
            try await MailSink.running { sink in
                let id = try await withSlowWriters(4, server, pool, at: moment) {
                    // These commit before the request, and come after the writers in the order of transactions.
                    try await server.tamper(Self.insert(10, server, at: moment))
                    let id = try await server.beginExport(#"{"format": "ndjson"}"#, key: key)
                    for _ in 0..<5 {
                        try await server.plantMany(10)
                        try await server.app.drainAll(to: sink)
                        server.app.clock.advance(by: .seconds(1))
                        let shown = try await server.admin("GET", "\(server.exportsPath)/\(id)", key: key)
                        #expect(shown.field("state") == "running")
                    }
                    return id
                }
                try await server.finish(id, key: key, to: sink)

                let file = try await server.fetch(id, key: key)
                let ids = try await pool.batch(
                    [
                        .trusted(
                            "select id from audit_events where app_id = \(server.sqlID) and created_at = '\(moment)'")
                    ], deadline: .seconds(20)
                )[0].map { row throws(PostgresError) in "\(try row.get("id", as: AuditEventID.self))" }
                #expect(ids.count == 4 * 50 + 10 && Set(file.eventIDs) == Set(ids))
                #expect(file.eventIDs.count == ids.count)
                // What is asked for later has the same events in the same order.
                let again = try await server.export(
                    #"{"format": "ndjson", "until": "\#(moment + .seconds(1))"}"#, key: key, to: sink
                ).file
                #expect(again.body == file.body)
            }
            await pool.shutdown()
        }
    }

    /// Writers that have begun before `body` and commit after it, one by one.
    private func withSlowWriters(
        _ count: Int, _ server: TestServer, _ pool: PostgresPool, at moment: Instant,
        _ body: @Sendable () async throws -> String
    ) async throws -> String {
        guard count > 0 else { return try await body() }
        return try await pool.transaction(deadline: .seconds(60)) { transaction in
            try await transaction.query(.trusted(Self.insert(50, server, at: moment)))
            return try await withSlowWriters(count - 1, server, pool, at: moment, body)
        }
    }

    static func insert(_ count: Int, _ server: TestServer, at moment: Instant) -> String {
        """
        insert into audit_events (app_id, id, kind, actor_kind, details, created_at)
        select \(server.sqlID), gen_random_uuid(), 'sign_in.passed', 'user', '{}', '\(moment)'
          from generate_series(1, \(count))
        """
    }
}

extension TestServer {
    /// Writes many events of this moment at once.
    func plantMany(_ count: Int) async throws {
        try await tamper(AuditExportFileTests.insert(count, self, at: app.clock.now))
    }
}

import Crypto
import Curl
import Foundation
import GatepostDev
import GatepostModel
import Postgres
import TestSupport
import Testing

/// `kill -9` of the worker in the middle of an audit export, again and again.
@Suite("Kill -9: audit export", .timeLimit(.minutes(10)))
struct AuditExportKillTests {
    static let killCount = 20
    /// Committed before the request, in so many transactions.
    static let (rowCount, transactionCount) = (120_000, 20)
    /// In each of four transactions that begin before the request and commit while workers die.
    static let slowRowCount = 500

    @Test func `workers killed at twenty points and writers that commit late change no byte of the file`() async throws
    {
        try await Installation.running(settings: WorkerKillTests.settings) { installation in
            try await installation.serve()
            let app = try await installation.makeApp()
            let key = try await installation.makeAuditorKey()
            for _ in 0..<Self.transactionCount {
                try await installation.texts(app.planting(Self.rowCount / Self.transactionCount))
            }
            let until = try await installation.texts(
                """
                select to_char((now() - interval '1 minute') at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                """)
            let body = #"{"format": "ndjson", "until": "\#(until[0])"}"#

            let id = try await app.withSlowWriters(4, rowCount: Self.slowRowCount) { letOneCommit in
                let id = try await app.beginExport(body, key: key)
                for number in 1...Self.killCount {
                    if number.isMultiple(of: 2) {
                        try await killInNextPart(installation)
                    } else {
                        try await killBehindNextPart(installation)
                    }
                    if number.isMultiple(of: 5) { letOneCommit() }
                }
                return id
            }
            try await installation.work()
            let disturbed = try await app.finishedFile(id, key: key)
            let undisturbed = try await app.finishedFile(try await app.beginExport(body, key: key), key: key)

            #expect(disturbed == undisturbed)
            let ids = String(decoding: disturbed, as: UTF8.self).matches(of: #/"id":"(evt_[0-9a-z]{26})"/#)
                .map { String($0.1) }
            #expect(ids.count == Self.rowCount + 4 * Self.slowRowCount && Set(ids).count == ids.count)
        }
    }

    /// Lets a worker write a part more than there is, and kills it while it makes the next.
    private func killBehindNextPart(_ installation: Installation) async throws {
        let parts = "select count(*) from audit_export_parts"
        let before = try await installation.count(parts)
        let worker = try await installation.work()
        try await eventually("a part more than \(before)") {
            try await installation.count(parts) > before ? () : nil
        }
        #expect(try await worker.kill() == .killed)
    }
}

extension AuditExportKillTests {
    /// Lets a worker settle its message, move the position on and come to the part's own row, and kills it there.
    private func killInNextPart(_ installation: Installation) async throws {
        try await installation.superuser.transaction(deadline: .seconds(60)) { transaction in
            // Reading goes on under this lock, inserting does not.
            try await transaction.query("lock table audit_export_parts in exclusive mode")
            let worker = try await installation.work()
            try await eventually("the worker waits to write a part") {
                try await installation.count(
                    """
                    select count(*) from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock'
                       and query like '%insert into audit_export_parts%'
                    """) > 0 ? () : nil
            }
            #expect(try await worker.kill() == .killed)
        }
    }
}

extension Installation {
    /// An auditor's key, as an operator makes one.
    fileprivate func makeAuditorKey() async throws -> String {
        let random = SeededRandom()
        let token = OneTimeToken.make(.apiKey, random: random)
        let id = APIKeyID.make(at: TestClock.start, random: random)
        _ = try await superuser.batch(
            [
                """
                insert into api_keys (app_id, id, name, prefix, key_hash, role, created_at, expires_at)
                values (\(AppID.gatepost), \(id), 'Test', 'gak_', \(token.hash), 'auditor', now(),
                        now() + interval '1 day')
                """
            ], deadline: .seconds(20))
        return token.secret.revealed
    }
}

extension App {
    /// A statement that writes events of two minutes ago.
    fileprivate func planting(_ count: Int) -> String {
        """
        insert into audit_events (app_id, id, kind, actor_kind, ip, user_agent, details, created_at)
        select '\(uuid)', gen_random_uuid(), 'sign_in.passed', 'user', '192.0.2.7', 'Test/' || number,
               jsonb_build_object('number', number::text), now() - interval '2 minutes'
          from generate_series(1, \(count)) as number
        """
    }

    /// Runs `body` while writers hold rows that they have not committed; it lets them commit, one at a time.
    fileprivate func withSlowWriters(
        _ count: Int, rowCount: Int, _ body: (_ letOneCommit: () -> Void) async throws -> String
    ) async throws -> String {
        let (begun, reporting) = AsyncStream<Void>.makeStream()
        let gates = (0..<count).map { _ in AsyncStream<Void>.makeStream() }
        let statement = planting(rowCount)
        // Their own connections: the installation's are for looking.
        let pool = PostgresPool(
            PostgresConfiguration(
                connectionString: installation.cluster.postgres.url(database: installation.database)))
        let writers = gates.map { gate in
            Task {
                try await pool.transaction(deadline: .seconds(300)) { transaction in
                    try await transaction.query(.trusted(statement))
                    reporting.yield()
                    for await _ in gate.stream {}
                }
            }
        }
        var isBegun = begun.makeAsyncIterator()
        for _ in 0..<count { await isBegun.next() }
        var waiting = gates[...]
        defer { for gate in gates { gate.continuation.finish() } }
        let output = try await body { waiting.popFirst()?.continuation.finish() }
        for gate in gates { gate.continuation.finish() }
        for writer in writers { try await writer.value }
        await pool.shutdown()
        return output
    }

    /// Asks for an export and returns its id.
    fileprivate func beginExport(_ json: String, key: String) async throws -> String {
        let answer = try await installation.send(
            "POST", "/v1/admin/apps/\(id)/audit-exports",
            headers: ["Authorization": "Bearer \(key)", "Content-Type": "application/json"], body: json)
        return try #require(answer.field("id"), "\(answer.status) \(answer.text)")
    }

    /// The file once it is there, its hash compared with the manifest's.
    fileprivate func finishedFile(_ export: String, key: String) async throws -> [UInt8] {
        let path = "/v1/admin/apps/\(id)/audit-exports/\(export)"
        let shown = try await eventually(within: .seconds(180), "the export is finished") {
            let answer = try await installation.send("GET", path, headers: ["Authorization": "Bearer \(key)"])
            return answer.field("state") == "running" ? nil : answer
        }
        // By a client that is not ours, and takes a file of any size.
        let file = try await OutsideProgram.runPython(
            """
            import sys, urllib.request
            url, key = sys.stdin.read().split()
            request = urllib.request.Request(url, headers={'Authorization': 'Bearer ' + key})
            with urllib.request.urlopen(request) as answer:
                while block := answer.read(1 << 16):
                    sys.stdout.buffer.write(block)
            """, input: Array("\(installation.baseURL)\(path)/file \(key)".utf8))
        #expect(hex(Array(SHA256.hash(data: Data(file)))) == shown.field("manifest.sha256"))
        return file
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore

extension Benchmark {
    private static let events = 1_000_000

    static let auditExport = Benchmark(name: "audit-export") { site, _ in
        try await site.runScript(plantEvents(of: site.app))
        let (clock, note) = (ContinuousClock(), "\(events) events of 380 bytes as NDJSON, by one gatepost work.")
        return try await site.working(with: Site.mailing(to: 1)) { worker in
            try await Task.sleep(for: .seconds(2))
            let idle = try worker.residentMiB
            return try await site.withDatabase { database in
                let scope = try await site.scope()
                let flow = AdminAuditFlow(
                    database: database, clock: HostClock(), random: SystemRandom(), keys: try KeyRing(site.keys))
                let start = clock.now
                let id = try await begin(flow, in: scope)
                var (peak, steps, last) = (idle, [0.0], start)
                var partCount: Int32 = 0
                while let export = try await flow.export(id, in: scope), export.state == .running {
                    if export.partCount > partCount {
                        // Between two parts lies more than one transaction: none was longer.
                        steps.append((clock.now - last) / .milliseconds(1) / Double(export.partCount - partCount))
                        (partCount, last) = (export.partCount, clock.now)
                    }
                    peak = max(peak, try worker.residentMiB)
                    try await Task.sleep(for: .milliseconds(20))
                }
                let seconds = (clock.now - start) / .seconds(1)
                return [
                    Row("audit export", "/s", [Double(events) / seconds], note: note),
                    Row(
                        "audit export, growth of the worker", "MiB", [peak - idle], limit: (64, "what it may be"),
                        note: note),
                    Row(
                        "audit export, longest part", "ms", [steps.max() ?? 0],
                        limit: (2000, "what a transaction may take"),
                        note: "From one part to the next, which is more than the transaction. " + note),
                ]
            }
        }
    }

    private static func begin(_ flow: AdminAuditFlow, in scope: AppScope) async throws -> AuditExportID {
        guard case .done(let id) = try await flow.begin(.ndjson, AuditFilter(), for: .benchmark, in: scope) else {
            throw Program.Failed(description: "the export was refused")
        }
        return id
    }

    private static func plantEvents(of app: AppID) -> String {
        let uuid = app.uuid.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return """
            insert into audit_events (app_id, id, kind, user_id, actor_kind, client_id, session_id, ip, user_agent,
                                      details, created_at)
            select '\(uuid)'::uuid, gen_random_uuid(), 'sign_in.passed', gen_random_uuid(), 'user', gen_random_uuid(),
                   gen_random_uuid(), '192.0.2.7', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0', '{}',
                   now() - interval '1 day' + n * interval '10 ms'
              from generate_series(1, \(events)) as n;
            vacuum analyze audit_events;
            """
    }
}

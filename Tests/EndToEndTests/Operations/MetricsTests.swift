import Curl
import Foundation
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// `/metrics` of the real program, read by prometheus-client.
@Suite("Metrics", .timeLimit(.minutes(20)))
struct MetricsTests {
    @Test func `an outside client reads the metrics of server and worker, and a delivered mail moves them`()
        async throws
    {
        try await Installation.running { installation in
            let server = try await installation.serve()
            let worker = try await installation.work()
            let app = try await installation.makeApp()
            let kind = ["kind": "mail.verification"]
            let before = try await installation.metrics(of: worker)
            #expect(before.value("gatepost_outbox_ends_total", kind.merging(["outcome": "delivered"]) { $1 }) == 0)

            _ = try await app.signUp("ada@example.com")
            try await installation.waitUntilNothingIsOwed()

            let after = try await eventually("the settlement is counted") {
                let page = try await installation.metrics(of: worker)
                let value = page.value("gatepost_outbox_ends_total", kind.merging(["outcome": "delivered"]) { $1 })
                return value == 1 ? page : nil
            }
            #expect(after.value("gatepost_outbox_attempts_total", kind.merging(["outcome": "delivered"]) { $1 }) == 1)
            #expect(after.value("gatepost_outbox_retries_total", kind) == 0)
            #expect(after.value("gatepost_outbox_acceptance_seconds_count", kind) == 1)
            #expect(after.value("gatepost_outbox_claim_to_settle_seconds_count", ["lane": "interactive"]) == 1)
            #expect(after.value("gatepost_breakers_open", ["route": "mail"]) == 0)
            #expect(after.value("gatepost_database_wait_seconds_count", ["pool": "shared"]) ?? 0 > 0)

            let served = try await installation.metrics(of: server)
            let route = ["route": "/v1/apps/{app}/sign-ups", "method": "POST"]
            #expect(served.value("gatepost_http_requests_total", route.merging(["status": "2xx"]) { $1 }) == 1)
            #expect(served.value("gatepost_http_request_duration_seconds_count", route) == 1)
            #expect(served.value("gatepost_password_hash_wait_seconds_count") == 1)
            #expect(served.value("gatepost_password_hash_refusals_total") == 0)
            for page in [after, served] { expectWellFormed(page, with: app) }
        }
    }

    /// Names, types and labels are those of the handbook, and no label holds what grows with the customers.
    private func expectWellFormed(_ page: MetricsPage, with app: App) {
        for family in page.families {
            #expect(family.name.hasPrefix("gatepost_") && !family.help.isEmpty && !family.samples.isEmpty)
            #expect(["counter", "gauge", "histogram"].contains(family.type), "\(family.name)")
            let labels = Set(family.samples.flatMap(\.labels.keys))
            let bounded: Set = [
                "method", "route", "status", "kind", "outcome", "lane", "pool", "job", "table", "result", "le",
            ]
            #expect(labels.isSubset(of: bounded), "\(family.name)")
        }
        #expect(Set(page.names).count == page.names.count)
        #expect(page.value("gatepost_database_up") == 1)
        #expect(page.value("gatepost_clock_sample_age_seconds") ?? 1000 < 100)
        for lane in ["interactive", "notice", "bulk"] {
            #expect(page.value("gatepost_outbox_oldest_age_seconds", ["lane": lane]) == 0)
        }
        #expect(!page.text.contains(app.id) && !page.text.contains("@") && !page.text.contains("usr_"))
    }

    @Test func `what is owed shows its age, a due key its own, a job that does not run its lag`() async throws {
        try await Installation.running { installation in
            let app = try await installation.makeApp()
            let intake = try await installation.serve()
            _ = try await app.signUp("waits@example.com")
            _ = try await app.signUp("tried@example.com")
            try await intake.terminate()
            try await installation.texts("update outbox set due_at = due_at - interval '1 hour'")
            // Tried in vain for two hours, and waiting for the next try.
            try await installation.texts(
                """
                update outbox set ready = false, claim_number = 3, attempt_count = 3,
                                  due_at = now() + interval '1 hour', created_at = created_at - interval '2 hours'
                 where id = (select max(id::text)::uuid from outbox)
                """)
            try await installation.texts(
                "update signing_keys set activated_at = activated_at - interval '100 days' where state = 'active'")
            try await installation.texts(
                """
                insert into job_runs (job, due_at, started_at, finished_at)
                values ('enqueue-key-rotations', now() - interval '3 days', now() - interval '3 days', now())
                """)
            try await installation.texts(
                """
                insert into deliveries (app_id, id, kind, lane, route, outcome, attempt_count, payload, created_at,
                                        ended_at)
                values ('\(app.uuid)', gen_random_uuid(), 'mail.verification', 'notice', 'mail', 'delivered', 1, '{}',
                        now(), '2200-01-01')
                """)

            // No worker runs: it is the server that shows it.
            let page = try await installation.metrics(of: try await installation.serve())
            let age = try #require(page.value("gatepost_outbox_oldest_age_seconds", ["lane": "interactive"]))
            #expect((7200..<8000).contains(age))
            #expect(page.value("gatepost_outbox_oldest_age_seconds", ["lane": "bulk"]) == 0)
            #expect(try #require(page.value("gatepost_signing_key_age_seconds")) >= 100 * 86_400)
            let lag = try #require(page.value("gatepost_job_lag_seconds", ["job": "enqueue-key-rotations"]))
            #expect((86_400.0...3 * 86_400.0).contains(lag))
            #expect(page.value("gatepost_job_lag_seconds", ["job": "delete-expired-flows"]) == 0)
            #expect(page.value("gatepost_default_partition_rows", ["table": "deliveries_default"]) ?? 0 >= 1)
        }
    }

    @Test func `a page that nobody was to see is not where everybody is`() async throws {
        try await Installation.running { installation in
            let server = try await installation.serve()
            #expect(try await installation.send("GET", "/metrics").status == 404)
            let operations = try await installation.operations(of: server)
            #expect(operations.hasPrefix("http://127.0.0.1:"))
            #expect(try await installation.send("GET", operations + "/v1/admin/apps").status == 404)
            #expect(try await installation.send("POST", operations + "/metrics").problem == .methodNotAllowed)
        }
    }

    @Test func `an address that is taken is told by its setting, and off serves nothing`() async throws {
        try await Installation.running { installation in
            let server = try await installation.serve()
            let address = String(try await installation.operations(of: server).dropFirst("http://".count))
            let taken = try await installation.run("work", settings: ["GATEPOST_OPERATIONS_LISTEN": address])
            #expect(taken.exit == SettingsTests.failure)
            #expect(taken.errors.contains("GATEPOST_OPERATIONS_LISTEN"), "\(taken.errors)")

            let quiet = try await installation.work(["GATEPOST_OPERATIONS_LISTEN": "off"])
            let app = try await installation.makeApp()
            _ = try await app.signUp("ada@example.com")
            try await installation.waitUntilNothingIsOwed()
            #expect(!quiet.output.contains("health and metrics"))
        }
    }
}

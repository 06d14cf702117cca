import GatepostModel
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job disable-failing-webhook-endpoints", .ownDatabase)
struct DisableFailingWebhookEndpointsTests {
    private let now = JobFixture.now
    private let edge = JobFixture.now - .days(5)
    private let moment: Duration = .microseconds(1)

    @Test func `an endpoint that failed for five days is disabled, and no other one`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let failing = try await insert("failing", of: one, first: edge, last: now, in: fixture)
            try await insert("a moment less", of: one, first: edge + moment, last: now, in: fixture)
            try await insert(
                "failed once, nothing since", of: one, first: now - .days(20), last: now - .days(20), in: fixture)
            try await insert(
                "failed for less, nothing since", of: one, first: now - .days(9), last: now - .days(5), in: fixture)
            try await insert("works", of: other, first: nil, last: nil, in: fixture)
            try await insert("off already", of: other, first: now - .days(9), last: now, isDisabled: true, in: fixture)
            try await insert("failing", of: other, first: now - .days(30), last: now - .days(25), in: fixture)

            let report = try await fixture.sweep("disable-failing-webhook-endpoints")

            #expect(report.rowsByApp == [one.id: 1, other.id: 1])
            #expect(
                try await fixture.texts(
                    """
                    select description from webhook_endpoints
                     where state = 'disabled' and disabled_reason = 'failing' and disabled_at = \(now)
                       and changed_at = \(now)
                    """) == ["failing", "failing"])
            #expect(
                try await fixture.texts("select id::text from webhook_endpoints where state = 'disabled'").count == 3)
            #expect(try await fixture.events(of: one) == ["webhook_endpoint.disabled job failing"])
            // As every other event of the endpoint names it.
            #expect(
                try await fixture.texts(
                    """
                    select details ->> 'webhook_endpoint' from audit_events
                     where app_id = \(one.id) and details ->> 'failing_since' = \(edge.description)
                    """) == [failing.description])
        }
    }

    @Test func `the limit is the one that the code states`() throws {
        let job = try #require(try JobCatalog()["disable-failing-webhook-endpoints"])

        #expect(job.parameters["failing"] == "5 days" && Lifetimes.webhookFailing == .days(5))
    }

    @discardableResult
    private func insert(
        _ name: String, of app: JobFixture.App, first: Instant?, last: Instant?, isDisabled: Bool = false,
        in fixture: JobFixture
    ) async throws -> WebhookEndpointID {
        let id: WebhookEndpointID = fixture.newID()
        try await fixture.execute(
            """
            insert into webhook_endpoints (app_id, id, url, description, event_types, state, disabled_reason,
                                           disabled_at, created_at, changed_at, first_failed_at, last_failed_at)
            values (\(app.id), \(id), 'https://hooks.example.com/', \(name), '{user.created}',
                    \(isDisabled ? "disabled" : "enabled"), \(isDisabled ? "by_admin" : nil),
                    \(isDisabled ? edge : nil), \(now - .days(60)), \(now - .days(60)), \(first), \(last))
            """)
        return id
    }
}

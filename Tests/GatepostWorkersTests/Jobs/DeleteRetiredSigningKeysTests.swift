import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-retired-signing-keys", .ownDatabase)
struct DeleteRetiredSigningKeysTests {
    @Test func `a retired key goes when it has been retired for more than two hours`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let (now, old) = (JobFixture.now, JobFixture.now - .days(90))
            let edge = now - .hours(2)
            let atEdge = try await fixture.makeKey(
                of: one, "retired", createdAt: old, activatedAt: old, retiredAt: edge)
            for app in [one, other] {
                try await fixture.makeKey(
                    of: app, "retired", createdAt: old, activatedAt: old, retiredAt: edge - .microseconds(1))
                try await fixture.makeKey(of: app, "active", createdAt: old, activatedAt: old)
                try await fixture.makeKey(of: app, "next", createdAt: old)
            }

            let report = try await fixture.runner.run("delete-retired-signing-keys", at: now)

            #expect(report.rowsByApp == [one.id: 1, other.id: 1])
            #expect(try await fixture.keys(of: one, "retired") == [atEdge])
            #expect(try await fixture.keys(of: other, "retired").isEmpty)
            for app in [one, other] {
                #expect(try await fixture.keys(of: app, "active").count == 1)
                #expect(try await fixture.keys(of: app, "next").count == 1)
                #expect(try await fixture.events(of: app) == ["signing_key.deleted job"])
            }
        }
    }
}

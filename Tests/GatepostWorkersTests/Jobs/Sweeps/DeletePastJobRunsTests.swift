import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-past-job-runs", .ownDatabase)
struct DeletePastJobRunsTests {
    @Test func `runs go after a month, but the last one of each job stays`() async throws {
        try await JobFixture.with { fixture in
            let edge = JobFixture.now - .days(30)
            for (job, dueAt) in [
                ("every-minute", edge - .days(1)), ("every-minute", edge - .microseconds(1)), ("every-minute", edge),
                ("every-minute", JobFixture.now), ("once-a-year", edge - .days(200)),
                ("once-a-year", edge - .days(565)),
            ] {
                try await fixture.execute(
                    "insert into job_runs (job, due_at, started_at) values (\(job), \(dueAt), \(dueAt))")
            }

            let report = try await fixture.sweep("delete-past-job-runs")

            #expect(report.rowsWithoutApp == 3 && report.rowsByApp.isEmpty)
            #expect(
                try await fixture.texts(
                    "select job from job_runs where job <> 'delete-past-job-runs' order by due_at")
                    == ["once-a-year", "every-minute", "every-minute"])
        }
    }
}

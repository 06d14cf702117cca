import GatepostModel
import GatepostWorkers
import Testing

extension JobFixture {
    /// Runs a job dry, then in earnest: both must report the same, which a dry run that touched anything would spoil.
    func sweep(_ job: String, at now: Instant = JobFixture.now) async throws -> JobReport {
        let rehearsed = try await runner.dryRun(job, at: now)
        let report = try await runner.run(job, at: now)
        #expect(rehearsed.rowsByApp == report.rowsByApp, "a dry run of \(job) touched something")
        #expect(rehearsed.rowsWithoutApp == report.rowsWithoutApp, "a dry run of \(job) touched something")
        return report
    }
}

package import GatepostModel
import Postgres

/// The last run of a job, as written down.
package struct JobRun: Hashable, Sendable {
    package let job: String
    package let dueAt: Instant
    package let startedAt: Instant
    /// None while it is going on, and for ever if its process died.
    package let finishedAt: Instant?
    package let rowCount: Int
    package let batchCount: Int
    /// What went wrong; it names statements and constraints, never values.
    package let error: String?
}

/// Every write to job_runs.
extension SystemBatch {
    /// Claims the run of a job for a due time.
    ///
    /// - Returns: Whether the claim is ours; false if the run has been claimed before.
    package mutating func claimJobRun(
        _ job: String, dueAt due: Instant, at now: Instant
    ) -> BatchReading<Bool> {
        read(
            """
            insert into job_runs (job, due_at, started_at)
            values (\(job), \(due), \(now))
            on conflict (job, due_at) do nothing
            """
        ) { $0.affectedCount == 1 }
    }

    /// Writes down what a run did.
    package mutating func finishJobRun(
        _ job: String, dueAt due: Instant, at now: Instant, rowCount: Int, batchCount: Int, error: String?
    ) -> BatchReading<Void> {
        read(
            """
            update job_runs
               set finished_at = \(now), row_count = \(rowCount), batch_count = \(Int32(clamping: batchCount)),
                   error = \(error)
             where job = \(job) and due_at = \(due)
            """
        ) { _ in }
    }

    /// Reads for which due time each of these jobs last ran to a good end, by name; one that never did is missing.
    package mutating func lastGoodJobRuns(of jobs: [String]) -> BatchReading<[String: Instant]> {
        read(
            """
            select name, r.due_at
              from unnest(\(jobs)::text[]) as name
             cross join lateral (select due_at
                                   from job_runs
                                  where job = name and finished_at is not null and error is null
                                  order by due_at desc
                                  limit 1) as r
            """
        ) { rows in
            try rows.reduce(into: [:]) {
                $0[try $1.get("name", as: String.self)] = try $1.get("due_at", as: Instant.self)
            }
        }
    }

    /// Reads the last run of each of these jobs, by name.
    package mutating func lastJobRuns(of jobs: [String]) -> BatchReading<[String: JobRun]> {
        read(
            """
            select r.job, r.due_at, r.started_at, r.finished_at, r.row_count, r.batch_count, r.error
              from unnest(\(jobs)::text[]) as name
             cross join lateral (select job, due_at, started_at, finished_at, row_count, batch_count, error
                                   from job_runs
                                  where job = name
                                  order by due_at desc
                                  limit 1) as r
            """
        ) { result in
            let runs = try result.map { row throws(PostgresError) in
                JobRun(
                    job: try row.get("job"), dueAt: try row.get("due_at"), startedAt: try row.get("started_at"),
                    finishedAt: try row.get("finished_at"), rowCount: try row.get("row_count"),
                    batchCount: try row.get("batch_count"), error: try row.get("error"))
            }
            return Dictionary(runs.map { ($0.job, $0) }) { first, _ in first }
        }
    }
}

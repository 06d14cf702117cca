import GatepostModel
import Postgres

/// Looks at a world's database beside the product: every transaction at its commit, by triggers (`WitnessSchema`).
struct Witness {
    /// After how many steps what was written down is read; fewer find the step sooner and take longer.
    static let readEvery = 25

    let superuser: PostgresPool

    /// What has been written down since the last reading.
    struct Reading {
        let breaches: [Breach]
        let owed: [(id: MessageID, app: AppID, kind: String, replayOf: MessageID?)]
        let ended: [(id: MessageID, app: AppID, outcome: String, at: Instant)]
    }

    /// Adds the triggers to the database.
    func install() async throws {
        try await superuser.transaction(deadline: .seconds(30)) { transaction in
            try await transaction.runScript(WitnessSchema.text)
        }
    }

    /// Takes what has been written down since the last reading.
    func read(breaches: Int64, owed: Int64, ended: Int64) async throws -> (Reading, [Int64]) {
        let results = try await superuser.batch(
            [
                "select number, promise, detail from witness.breaches where number > \(breaches) order by number",
                "select number, id, app_id, kind, replay_of from witness.owed where number > \(owed) order by number",
                "select number, id, app_id, outcome, at from witness.ended where number > \(ended) order by number",
            ], deadline: .seconds(30))
        let reading = Reading(
            breaches: try results[0].map { row in
                Breach(
                    promise: Promise(rawValue: try row.get("promise")) ?? .noUnexpectedError,
                    detail: try row.get("detail"))
            },
            owed: try results[1].map { row in
                (try row.get("id"), try row.get("app_id"), try row.get("kind"), try row.get("replay_of"))
            },
            ended: try results[2].map { row in
                (try row.get("id"), try row.get("app_id"), try row.get("outcome"), try row.get("at"))
            })
        let last = zip(results, [breaches, owed, ended]).map { result, before in
            (try? result.last?.get("number", as: Int64.self)) ?? before
        }
        return (reading, last)
    }

    /// From here on every commit of a change loses its connection.
    func lightFuse() async throws {
        try await execute("update witness.fuse set is_lit = true")
    }

    /// Commits succeed again.
    func putFuseOut() async throws {
        try await execute("update witness.fuse set is_lit = false")
    }

    /// Ends every connection of the product and waits until it is gone.
    func killConnections() async throws {
        try await execute(
            """
            select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid() and usename <> current_user
            """)
    }

    @discardableResult
    func execute(_ statement: SQL) async throws -> PostgresResult {
        let results = try await superuser.batch([statement], deadline: .seconds(60))
        guard let result = results.first else { throw NoResult() }
        return result
    }

    /// A statement gave no result at all.
    struct NoResult: Error {}
}

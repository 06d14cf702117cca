import GatepostModel
import GatepostStore
import Postgres

/// What is checked while a world runs, and at its end.
extension World {
    /// Takes over what the witness has written down, and compares the ends with the attempts that were seen.
    func readWitness() async throws {
        let (reading, numbers) = try await witness.read(
            breaches: witnessed[0], owed: witnessed[1], ended: witnessed[2])
        witnessed = numbers
        for found in reading.breaches { breach(found.promise, found.detail) }
        for owed in reading.owed {
            let message = messages.message(owed.id, app: owed.app, kind: owed.kind)
            messages.wasOwed(message, replayOf: owed.replayOf)
        }
        for ended in reading.ended {
            guard let message = messages.byID[ended.id] else {
                breach(.oneEnd, "a message ended that was never owed: \(ended.id)")
                continue
            }
            message.end(ended.outcome, at: ended.at)
            if message.attempts.contains(where: { $0.startedAt > ended.at }) {
                breach(.nothingAfterTheEnd, "\(message.kind) \(message.id) was sent after \(ended.outcome)")
            }
        }
    }

    /// Checks the whole database against every promise.
    func checkWhole() async throws {
        for (promise, statement) in WholeChecks.statements {
            for row in try await witness.execute(statement) {
                breach(promise, try row.get("detail"))
            }
        }
        try await compareCounts()
        for app in apps { try await checkSight(of: app) }
    }

    /// Every event that the model knows of is there once, and none of its kinds beside them; so are the notices.
    private func compareCounts() async throws {
        let events = try await counts("select app_id, kind, count(*) as count from audit_events group by app_id, kind")
        let notices = try await counts(
            """
            select app_id, type as kind, count(*) as count from witness.owed
             where kind = 'webhook.notice' and replay_of is null group by app_id, type
            """)
        for (number, app) in apps.enumerated() {
            for (kind, expected) in app.events {
                let found = events[app.id]?[kind] ?? 0
                if found != expected {
                    breach(
                        found < expected ? .eventsStay : .asTheModelSays,
                        "app \(number) has \(found) events \(kind), not \(expected)")
                }
            }
            for (type, expected) in app.notices where notices[app.id]?[type] ?? 0 != expected {
                breach(
                    .noMessageIsLost,
                    "app \(number) was owed \(notices[app.id]?[type] ?? 0) notices \(type), not \(expected)")
            }
        }
    }

    private func counts(_ statement: SQL) async throws -> [AppID: [String: Int]] {
        var counts: [AppID: [String: Int]] = [:]
        for row in try await witness.execute(statement) {
            counts[try row.get("app_id"), default: [:]][try row.get("kind")] = Int(
                try row.get("count", as: Int64.self))
        }
        return counts
    }

    /// A statement in an app's scope that names no app sees the rows of that app, all of them, and no others.
    private func checkSight(of app: SimulatedApp) async throws {
        for table in WholeChecks.scopedTables {
            let seen = try await database.batch(in: app.scope) { batch in
                batch.read(
                    .trusted(
                        "select count(*) as count, count(*) filter (where app_id <> $1) as others from \(table)",
                        parameters: app.id)
                ) { rows in
                    (try rows[0].get("count", as: Int64.self), try rows[0].get("others", as: Int64.self))
                }
            }
            let own = try await witness.execute(
                .trusted("select count(*) as count from \(table) where app_id = $1", parameters: app.id))
            let ownCount = try own[0].get("count", as: Int64.self)
            if seen.1 > 0 || seen.0 != ownCount {
                breach(.noRowOfAnotherApp, "an app sees \(seen.0) rows of \(table), \(seen.1) of them another's")
            }
        }
    }
}

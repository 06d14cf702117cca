import GatepostModel
import GatepostWorkers

/// The jobs of `jobs/`, at whatever moment it is.
extension World {
    func runJob() async throws -> String? {
        guard let name = chosen(jobNames) else { return nil }
        let stale = name == "end-stale-sessions" ? endStaleSessions() : nil
        let report = try await jobs.run(name, at: now)
        switch name {
        case "end-stale-sessions":
            if report.rowCount != stale { differ("\(report.rowCount) stale sessions ended, not \(stale ?? 0)") }
        case "delete-expired-codes":
            for code in apps.flatMap(\.people).flatMap(\.codes) where code.expiresAt < now - .hours(24) {
                code.isDeleted = true
            }
        case "activate-signing-keys":
            count(report, "signing_key.activated", "signing_key.retired")
        case "delete-retired-signing-keys":
            count(report, "signing_key.deleted")
        default: break
        }
        return "job \(name)"
    }

    private func count(_ report: JobReport, _ events: String...) {
        for app in apps {
            for event in events { app.count(event, report.rowsByApp[app.id] ?? 0) }
        }
    }

    /// What the job has to end; returns how many.
    private func endStaleSessions() -> Int {
        var count = 0
        for app in apps {
            let ended = app.people.reduce(0) { sum, person in
                sum + person.endSessions { min($0.idleExpiresAt, $0.expiresAt) <= now }
            }
            app.owe(.sessionEnded, ended)
            app.count("session.ended", ended)
            count += ended
        }
        return count
    }
}

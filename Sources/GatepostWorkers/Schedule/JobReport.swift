package import GatepostModel

/// What a run of a job did.
package struct JobReport: Hashable, Sendable {
    /// The job's name.
    package let job: String

    /// How many rows were handled in each app.
    package internal(set) var rowsByApp: [AppID: Int] = [:]

    /// How many rows belong to no app.
    package internal(set) var rowsWithoutApp = 0

    /// How often the statement was executed.
    package internal(set) var batchCount = 0

    /// Whether the run ended before a batch came back short: the program stops, or the run has done its share.
    package internal(set) var isCutShort = false

    init(job: String) {
        self.job = job
    }

    /// How many rows were handled in all.
    package var rowCount: Int { rowsWithoutApp + rowsByApp.values.reduce(0, +) }

    /// Counts one batch; nil stands for a row of no app.
    mutating func count(_ apps: [AppID?]) {
        batchCount += 1
        for app in apps {
            if let app { rowsByApp[app, default: 0] += 1 } else { rowsWithoutApp += 1 }
        }
    }
}

package import GatepostModel
package import Postgres

/// A file of `jobs/`: when it is due, how much it takes at once, and its one statement.
///
/// The same file runs by hand with psql: its parameters are psql variables (`:batch`, `:'now'`), and each use of one
/// becomes a bound parameter whose type the statement decides, just as psql's literal would be read.
package struct JobFile: Sendable {
    /// The most rows that a batch may ask for: a longer statement holds its locks for too long.
    package static let batchSizeMax = 10_000

    /// The longest that one batch may take.
    package static let timeoutMax: Duration = .minutes(10)

    /// The largest file that is read.
    package static let bytesMax = 65_536

    /// The file's name without `.sql`, in kebab case.
    package let name: String

    /// The first sentence of the header.
    package let summary: String

    /// When the job is due, in UTC.
    package let schedule: CronSchedule

    /// How many rows one execution handles at most; fewer mean that nothing is left.
    package let batchSize: Int

    /// How long one execution may take.
    package let timeout: Duration

    /// What else the header states, by name: the statement's own parameters.
    package let parameters: [String: String]

    /// The statement.
    let statement: JobStatement

    private let values: [String: Int]

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - name: The file's name without `.sql`.
    ///   - text: All of the file.
    /// - Throws: The first mistake.
    package init(name: String, text: String) throws(JobFileError) {
        let place = JobFileError.Place(file: "\(name).sql")
        guard Self.isKebabCase(name) else { throw place.error(1, .nameNotKebabCase) }
        guard text.utf8.count <= Self.bytesMax else { throw place.error(1, .tooLong) }
        let header = try JobHeader(text, in: place)
        let statement = try JobStatement(text, from: header.lineCount + 1, in: place)
        self.name = name
        summary = header.summary
        schedule = try header.schedule()
        batchSize = try header.batchSize()
        timeout = try header.timeout()
        parameters = header.parameters
        values = parameters.compactMapValues { Int($0) }
        self.statement = statement
        try requireUse(of: header, in: place)
    }

    /// The statement with its parameters bound.
    ///
    /// - Parameter now: What the statement takes for the current time.
    /// - Returns: What can be executed or explained.
    package func sql(at now: Instant) -> SQL {
        SQL.trusted(statement.text, parameters: statement.variables.map { value(of: $0, at: now) })
    }

    private func value(of variable: JobStatement.Variable, at now: Instant) -> any PostgresEncodable {
        switch variable.name {
        case "now": now.description
        case "batch": batchSize
        default:
            if variable.isQuoted { parameters[variable.name] ?? "" } else { values[variable.name] ?? 0 }
        }
    }

    /// Each parameter that is declared is used, and each that is used is declared and has a value of its form.
    private func requireUse(of header: JobHeader, in place: JobFileError.Place) throws(JobFileError) {
        for variable in statement.variables {
            let isKnown = variable.name == "now" || variable.name == "batch" || parameters[variable.name] != nil
            guard isKnown else { throw place.error(variable.line, .undeclaredParameter(variable.name)) }
            let isNumber = variable.name == "batch" || values[variable.name] != nil
            guard variable.isQuoted || isNumber else { throw place.error(variable.line, .notANumber(variable.name)) }
        }
        let used = Set(statement.variables.map(\.name))
        for entry in header.entries where entry.key == "batch" || parameters[entry.key] != nil {
            guard used.contains(entry.key) else { throw place.error(entry.line, .unusedParameter(entry.key)) }
        }
    }

    /// At least two words: what is done, and to what.
    private static func isKebabCase(_ name: String) -> Bool {
        name.wholeMatch(of: /[a-z]+(-[a-z0-9]+)+/) != nil && name.utf8.count <= 63
    }
}

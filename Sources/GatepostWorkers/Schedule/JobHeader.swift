import GatepostModel

/// The comment that a job file begins with: a sentence, the reasons, and in the last paragraph `key: value` lines.
struct JobHeader {
    /// One line of the last paragraph.
    struct Entry {
        let key: String
        let value: String
        let line: Int
    }

    /// Keys that configure the run; every other one is a parameter of the statement.
    private static let runnerKeys: Set<String> = ["schedule", "batch", "timeout"]

    /// The first sentence.
    let summary: String

    /// The lines of the last paragraph, in their order.
    let entries: [Entry]

    /// How many lines of the file the header takes.
    let lineCount: Int

    private let place: JobFileError.Place

    /// Reads the header of a file.
    init(_ text: String, in place: JobFileError.Place) throws(JobFileError) {
        let comments = text.split(separator: "\n", omittingEmptySubsequences: false)
            .prefix { $0.hasPrefix("--") }
            .map { $0.dropFirst(2).trimmingSpaces() }
        var paragraphs: [[(line: Int, text: Substring)]] = [[]]
        for (offset, comment) in comments.enumerated() {
            if comment.isEmpty {
                paragraphs.append([])
            } else {
                paragraphs[paragraphs.count - 1].append((offset + 1, comment))
            }
        }
        paragraphs.removeAll(where: \.isEmpty)
        guard let first = paragraphs.first, let last = paragraphs.last, paragraphs.count >= 3 else {
            throw place.error(1, .headerIncomplete)
        }
        self.place = place
        summary = first.map(\.text).joined(separator: " ")
        lineCount = comments.count
        entries = try Self.entries(last, in: place)
        if let missing = Self.runnerKeys.sorted().first(where: { key in !entries.contains { $0.key == key } }) {
            throw place.error(lineCount, .missingKey(missing))
        }
    }

    /// What the header states besides the keys of the runner.
    var parameters: [String: String] {
        let own = entries.filter { !Self.runnerKeys.contains($0.key) }
        return Dictionary(own.map { ($0.key, $0.value) }) { first, _ in first }
    }

    /// The value of `schedule`.
    func schedule() throws(JobFileError) -> CronSchedule {
        let entry = try entry("schedule")
        do {
            return try CronSchedule(entry.value)
        } catch {
            throw place.error(entry.line, .schedule(error))
        }
    }

    /// The value of `batch`, a number of rows.
    func batchSize() throws(JobFileError) -> Int {
        let entry = try entry("batch")
        guard let size = Int(entry.value), (1...JobFile.batchSizeMax).contains(size) else {
            throw place.error(entry.line, .malformedValue("batch", "a number from 1 to \(JobFile.batchSizeMax)"))
        }
        return size
    }

    /// The value of `timeout`: `10 seconds`, `2 minutes`.
    func timeout() throws(JobFileError) -> Duration {
        let entry = try entry("timeout")
        let longest = JobFile.timeoutMax.wholeSeconds
        let error = place.error(entry.line, .malformedValue("timeout", "'10 seconds', at most \(longest) seconds"))
        guard let match = entry.value.wholeMatch(of: /([0-9]{1,5}) (second|minute)s?/),
            let count = Int64(match.1)
        else { throw error }
        let timeout: Duration = match.2 == "minute" ? .minutes(count) : .seconds(count)
        guard count > 0, timeout <= JobFile.timeoutMax else { throw error }
        return timeout
    }

    private func entry(_ key: String) throws(JobFileError) -> Entry {
        guard let entry = entries.first(where: { $0.key == key }) else {
            throw place.error(lineCount, .missingKey(key))
        }
        return entry
    }

    private static func entries(
        _ paragraph: [(line: Int, text: Substring)], in place: JobFileError.Place
    ) throws(JobFileError) -> [Entry] {
        var entries: [Entry] = []
        for (line, text) in paragraph {
            guard let match = text.wholeMatch(of: /([a-z][a-z0-9_]*):\s+(.+)/) else {
                throw place.error(line, .notAKeyLine)
            }
            let entry = Entry(key: String(match.1), value: String(match.2), line: line)
            guard entry.key != "now" else { throw place.error(line, .nowDeclared) }
            guard !entries.contains(where: { $0.key == entry.key }) else {
                throw place.error(line, .duplicateKey(entry.key))
            }
            entries.append(entry)
        }
        return entries
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        let start = drop(while: isSpace)
        guard let last = start.lastIndex(where: { !isSpace($0) }) else { return "" }
        return start[...last]
    }
}

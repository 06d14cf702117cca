import Foundation

/// One figure beside its limit.
struct Row: Encodable, Sendable {
    /// What is measured.
    let measure: String
    let unit: String
    /// The median of the runs.
    let figure: Double
    /// The median of the limit, measured in the same runs; nil where nothing limits it.
    var limit: Double?
    /// What the limit is.
    var limitIs: String?
    /// The median of the runs' own ratios, and their extremes.
    var ratio: Double?
    var ratios: [Double] = []
    /// What is asked of the ratio.
    var must: Must?
    /// Whether it is that much; nil where nothing is asked.
    var isMet: Bool?
    /// How it was measured.
    let note: String

    /// A figure that nothing limits, or a fixed value does.
    init(
        _ measure: String, _ unit: String, _ samples: [Double], limit: (Double, String)? = nil, must: Must? = nil,
        note: String
    ) {
        (self.measure, self.unit, self.must, self.note) = (measure, unit, must, note)
        figure = samples.median
        self.limit = limit?.0
        limitIs = limit?.1
        guard let limit else { return }
        ratio = figure / limit.0
        if samples.count > 1 { ratios = samples.map { $0 / limit.0 } }
        isMet = must?.isMet(by: figure / limit.0)
    }

    /// A figure and a limit that were measured in turns.
    init(
        _ measure: String, _ unit: String, _ comparison: Comparison, limitIs: String, must: Must? = nil, note: String
    ) {
        (self.measure, self.unit, self.limitIs, self.must, self.note) = (measure, unit, limitIs, must, note)
        figure = comparison.figures.median
        limit = comparison.limits.median
        ratios = zip(comparison.figures, comparison.limits).map { $0 / $1 }
        ratio = ratios.median
        isMet = must?.isMet(by: ratios.median, figure, comparison.limits.median)
    }
}

/// What is asked of a ratio.
enum Must: Encodable, Sendable {
    case atLeast(Double)
    case atMost(Double)
    /// That figure and limit differ by no more than this share of the limit, or by no more than this.
    case near(share: Double, orBy: Double)

    func isMet(by ratio: Double, _ figure: Double = 0, _ limit: Double = 0) -> Bool {
        switch self {
        case .atLeast(let bound): ratio >= bound
        case .atMost(let bound): ratio <= bound
        case .near(let share, let difference): abs(ratio - 1) <= share || abs(figure - limit) <= difference
        }
    }

    /// As the table and the JSON have it.
    var text: String {
        switch self {
        case .atLeast(let bound): "≥ \(Optional(bound).text)"
        case .atMost(let bound): "≤ \(Optional(bound).text)"
        case .near(let share, let difference): "1 ± \(Optional(share).text), or ± \(difference)"
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// Everything that a run found out; its JSON is what is kept.
struct Report: Encodable {
    let at: String
    let cores: Int
    /// Of the whole machine, over the last minute.
    let loadBefore: String
    var loadAfter = ""
    let build: String
    let postgres: String
    let runs: Int
    let secondsOfRun: Int
    let synchronousCommit = "on"
    let fsync: String
    let pgbench = "-M prepared, \(Pgbench.clients) clients, 1 thread, one pipeline a batch"
    var rows: [Row] = []
    /// What could not be measured, and why.
    var failures: [String: String] = [:]

    /// The report as Markdown.
    var table: String {
        var lines = [
            "\(at), \(cores) cores, load \(loadBefore) before and \(loadAfter) after",
            "\(build) build, Postgres \(postgres)",
            "median of \(runs) runs of \(secondsOfRun) s, figure and limit in turns; pgbench \(pgbench)",
            "synchronous_commit=\(synchronousCommit), fsync=\(fsync)",
            "", "| measure | figure | limit | ratio | must | |", "|---|---|---|---|---|---|",
        ]
        lines += rows.map { row in
            let limit = row.limit.map { "\($0.rounded(row.unit)): \(row.limitIs ?? "")" } ?? "–"
            let range = row.ratios.isEmpty ? "" : " (\(row.ratios.min().text)–\(row.ratios.max().text))"
            let verdict = row.isMet.map { $0 ? "met" : "missed" } ?? ""
            let must = row.must?.text ?? "–"
            return "| \(row.measure) | \(row.figure.rounded(row.unit)) | \(limit) | \(row.ratio.text)\(range) "
                + "| \(must) | \(verdict) |"
        }
        lines += failures.sorted { $0.key < $1.key }.map { "| \($0.key) | not measured: \($0.value) | | | | |" }
        lines += [""] + rows.map { "- \($0.measure): \($0.note)" }
        return lines.joined(separator: "\n")
    }
}

extension [Double] {
    /// The value in the middle.
    var median: Double { percentile(50) }

    /// The value below which so many percent of the others lie.
    func percentile(_ percent: Double) -> Double {
        let sorted = self.sorted()
        guard !sorted.isEmpty else { return .nan }
        if percent == 50, count.isMultiple(of: 2) { return (sorted[count / 2 - 1] + sorted[count / 2]) / 2 }
        return sorted[Swift.min(Int(Double(count) * percent / 100), count - 1)]
    }
}

extension Double {
    fileprivate func rounded(_ unit: String) -> String {
        String(format: self < 100 ? "%.1f" : "%.0f", self) + (unit.hasPrefix("/") ? unit : " " + unit)
    }
}

extension Double? {
    fileprivate var text: String { map { String(format: "%.2f", $0) } ?? "–" }
}

/// How often and how long is measured, and of how much.
struct Pace: Sendable {
    let runs: Int
    let seconds: Int
    /// How long the snapshot is held that the pickup must not suffer from.
    let heldSeconds: Int
    /// Messages in a large backlog.
    let owed: Int

    /// Measures two things in turns, so that what else the machine does falls on both; each first once to warm up.
    ///
    /// - Parameters:
    ///   - figure: What is measured.
    ///   - limit: What it is measured against.
    ///   - settle: What is done once both are warm.
    /// - Returns: What was measured.
    /// - Throws: What a measurement throws.
    func compare(
        _ figure: () async throws -> Double, with limit: () async throws -> Double,
        settle: () async throws -> Void = {}
    ) async throws -> Comparison {
        _ = try await (figure(), limit())
        try await settle()
        var comparison = Comparison()
        for run in 0..<runs {
            if run.isMultiple(of: 2) { comparison.figures.append(try await figure()) }
            comparison.limits.append(try await limit())
            if !run.isMultiple(of: 2) { comparison.figures.append(try await figure()) }
        }
        return comparison
    }
}

/// A figure and its limit, run by run.
struct Comparison: Sendable {
    var figures: [Double] = []
    var limits: [Double] = []
}

import Foundation

/// What tests of races have in common.
package enum Race {
    /// How often one is run: who wins differs each time.
    ///
    /// `make test` sets `GATEPOST_TEST_RACE_ROUNDS` to less in its second pass, which shows that each statement runs
    /// without having been prepared, and not once more that one of many wins.
    package static let rounds =
        ProcessInfo.processInfo.environment["GATEPOST_TEST_RACE_ROUNDS"].flatMap { Int($0) } ?? 30
}

/// Runs a body many times at once and returns every outcome.
///
/// The tasks wait for one another at the start, so that they meet where they race and not one after the other.
package func race<Output: Sendable>(
    _ count: Int, _ body: @escaping @Sendable () async throws -> Output
) async throws -> [Output] {
    try await withThrowingTaskGroup(of: Output.self) { group in
        let (gate, opening) = AsyncStream<Void>.makeStream()
        for _ in 0..<count {
            group.addTask {
                for await _ in gate {}
                return try await body()
            }
        }
        opening.finish()
        var outcomes: [Output] = []
        for try await outcome in group { outcomes.append(outcome) }
        return outcomes
    }
}

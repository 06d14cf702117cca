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

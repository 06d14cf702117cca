import GatepostDev
import Testing

@testable import GatepostWorkers

@Suite(.timeLimit(.minutes(1)))
struct GatheredReadsTests {
    private struct Refused: Error {}

    /// A source whose reads wait until they are let go, and which remembers what each was asked for.
    private final class Source: Sendable {
        struct State: Sendable {
            var asked: [Set<Int>] = []
            var letGo = 0
        }

        let state = Watched(State())

        func read(_ keys: [Int]) async throws -> [Int: String] {
            let number = state.update { state in
                state.asked.append(Set(keys))
                return state.asked.count
            }
            try await state.wait(within: .seconds(30)) { $0.letGo >= number ? () : nil }
            guard !keys.contains(13) else { throw Refused() }
            // There is no 4.
            return Dictionary(uniqueKeysWithValues: keys.filter { $0 != 4 }.map { ($0, "value \($0)") })
        }

        /// Waits until so many reads have begun.
        func begun(_ count: Int) async throws {
            try await state.wait(within: .seconds(30)) { $0.asked.count >= count ? () : nil }
        }
    }

    private func waiting(_ count: Int, for reads: GatheredReads<String, Int, String>) async {
        while reads.waitingCount(in: "app") < count { await Task.yield() }
    }

    @Test func `whoever asks while a read is under way shares the next one`() async throws {
        let source = Source()
        let reads = GatheredReads<String, Int, String> { _, keys in try await source.read(keys) }
        async let first = reads.value(of: 1, in: "app")
        try await source.begun(1)
        async let second = reads.value(of: 2, in: "app")
        async let third = reads.value(of: 3, in: "app")
        async let missing = reads.value(of: 4, in: "app")
        async let again = reads.value(of: 1, in: "app")
        await waiting(4, for: reads)
        source.state.update { $0.letGo = 2 }
        let values = try await [first, second, third, missing, again]
        #expect(values == ["value 1", "value 2", "value 3", nil, "value 1"])
        // What the first read had found is not given to who asked later.
        #expect(source.state.current.asked == [[1], [1, 2, 3, 4]])
    }

    @Test func `another group is read at once`() async throws {
        let source = Source()
        let reads = GatheredReads<String, Int, String> { _, keys in try await source.read(keys) }
        async let here = reads.value(of: 1, in: "app")
        async let there = reads.value(of: 2, in: "other app")
        try await source.begun(2)
        source.state.update { $0.letGo = 2 }
        let values = try await [here, there]
        #expect(values == ["value 1", "value 2"])
    }

    @Test func `a read that fails fails for those who share it, and no further`() async throws {
        let source = Source()
        let reads = GatheredReads<String, Int, String> { _, keys in try await source.read(keys) }
        async let first = reads.value(of: 1, in: "app")
        try await source.begun(1)
        let refused = Task { try await reads.value(of: 13, in: "app") }
        let beside = Task { try await reads.value(of: 2, in: "app") }
        await waiting(2, for: reads)
        source.state.update { $0.letGo = 3 }
        #expect(try await first == "value 1")
        await #expect(throws: Refused.self) { try await refused.value }
        await #expect(throws: Refused.self) { try await beside.value }
        #expect(try await reads.value(of: 2, in: "app") == "value 2")
    }
}

import Foundation
import GatepostModel
import Synchronization
package import Testing

/// Chance that repeats: everything that follows from a seed follows again.
///
/// The seed differs in each test, so that ids do not meet in the shared database. With `.showsSeed`, a test that
/// fails names the seed that `GATEPOST_SEED=… swift test --filter …` repeats it with.
package final class SeededRandom: RandomSource, Sendable {
    private let state: Mutex<UInt64>

    /// Starts from a seed; by default the test's next one, or any.
    package init(seed: UInt64? = nil) {
        state = Mutex(seed ?? SeedTrait.seeds?.next() ?? UInt64.random(in: 1...UInt64.max))
    }

    package func bytes(_ count: Int) -> [UInt8] {
        state.withLock { state in
            var bytes: [UInt8] = []
            while bytes.count < count {
                let word = Self.next(&state)
                for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
            }
            return Array(bytes.prefix(count))
        }
    }

    /// A number from 0 up to, not including, the bound.
    package func number(below bound: Int) -> Int {
        Int(state.withLock { Self.next(&$0) } % UInt64(max(bound, 1)))
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): one word of state, every seed is good.
    private static func next(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// The seeds of one test: several sources in it must not repeat one another.
final class SeedSequence: Sendable {
    let base: UInt64
    private let count = Mutex<UInt64>(0)

    init(base: UInt64) {
        self.base = base
    }

    func next() -> UInt64 {
        count.withLock { count in
            count += 1
            return base &+ count &* 0xD1B5_4A32_D192_ED03
        }
    }
}

/// Gives a test its seeds, and names their base if the test fails.
package struct SeedTrait: SuiteTrait, TestTrait, TestScoping {
    @TaskLocal static var seeds: SeedSequence?

    package let isRecursive = true

    package func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? {
        testCase == nil ? nil : self
    }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let asked = ProcessInfo.processInfo.environment["GATEPOST_SEED"].flatMap { UInt64($0) }
        let base = asked ?? UInt64.random(in: 1...UInt64.max)
        let naming: IssueHandlingTrait = .compactMapIssues { issue in
            var issue = issue
            issue.comments.append("GATEPOST_SEED=\(base)")
            return issue
        }
        try await Self.$seeds.withValue(SeedSequence(base: base)) {
            try await naming.provideScope(for: test, testCase: testCase, performing: function)
        }
    }
}

extension Trait where Self == SeedTrait {
    /// The test's chance comes from one seed, which is named if it fails.
    package static var showsSeed: Self { SeedTrait() }
}

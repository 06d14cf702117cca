import GatepostModel
import Testing

@Suite("Trace context")
struct TraceContextTests {
    static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    static let header = "00-\(trace)-00f067aa0ba902b7-01"

    /// Chance that never comes: only zeros.
    private struct NoRandom: RandomSource {
        func bytes(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }
    }

    @Test func `the specification's example is read, and written as it came`() throws {
        let trace = try #require(TraceContext(traceparent: Self.header))
        #expect(trace.traceID == Self.trace)
        #expect(trace.spanID == "00f067aa0ba902b7")
        #expect(trace.traceparent == Self.header)
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-00f067aa0ba902b7", "00-\(trace)-00f067aa0ba902b7-01-",
        "00-\(trace)-00f067aa0ba902b7-01-x",
        "00-\(trace)-00f067aa0ba902b7-1", "00-\(trace)-00f067aa0ba902b7-0g", "ff-\(trace)-00f067aa0ba902b7-01",
        "00-\(trace.uppercased())-00f067aa0ba902b7-01", "00-\(trace)-00F067AA0BA902B7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-\(trace)-0000000000000000-01",
        " \(header)", "\(header) ", "00_\(trace)_00f067aa0ba902b7_01", "0-\(trace)-00f067aa0ba902b7-01x",
        "01-\(trace)-00f067aa0ba902b7-01x", "00-\(trace.dropLast())é-00f067aa0ba902b7-01",
        "01-\(trace)-00f067aa0ba902b7-01-" + String(repeating: "a", count: 500),
    ])
    func `what is not well formed is no trace`(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test func `a later version is read as far as it is known, and answered in ours`() throws {
        let trace = try #require(
            TraceContext(traceparent: "cc-\(Self.trace)-00f067aa0ba902b7-fe-what-the-future-brings"))
        #expect(trace.traceparent == "00-\(Self.trace)-00f067aa0ba902b7-00")
        let other = try #require(TraceContext(traceparent: "01-\(Self.trace)-00f067aa0ba902b7-ff"))
        #expect(other.traceparent == "00-\(Self.trace)-00f067aa0ba902b7-01")
    }

    @Test func `a request goes on with its caller's trace at a span of its own`() throws {
        let caller = try #require(TraceContext(traceparent: Self.header))
        let request = TraceContext(continuing: caller, random: SystemRandom())
        #expect(request.traceID == Self.trace && request.spanID != caller.spanID)
        #expect(request.traceparent.hasSuffix("-01"))
        let unsampled = try #require(TraceContext(traceparent: String(Self.header.dropLast()) + "0"))
        #expect(TraceContext(continuing: unsampled, random: SystemRandom()).traceparent.hasSuffix("-00"))
    }

    @Test func `without one it begins a trace, and no id is ever zero`() {
        let first = TraceContext(continuing: nil, random: SystemRandom())
        #expect(first.traceID != TraceContext(continuing: nil, random: SystemRandom()).traceID)
        #expect(TraceContext(traceparent: first.traceparent) == first)
        let zero = TraceContext(continuing: nil, random: NoRandom())
        #expect(TraceContext(traceparent: zero.traceparent) == zero)
    }

    @Test func `each attempt is a span of its own, the same for every worker`() {
        let message = MessageID.make(at: Instant(seconds: 1_790_000_000), random: SystemRandom())
        func attempt(_ number: Int32, _ trace: String?) -> TraceContext {
            TraceContext(ofAttempt: number, at: message, continuing: trace)
        }
        #expect(attempt(1, Self.header) == attempt(1, Self.header))
        #expect(Set((1...1000).map { attempt($0, Self.header).spanID }).count == 1000)
        #expect(attempt(7, Self.header).traceID == Self.trace)
        // What no request has owed, or what is not to be read, has a trace of its own through all its attempts.
        #expect(attempt(1, nil).traceID == attempt(2, nil).traceID)
        #expect(attempt(1, "nonsense").traceID == attempt(1, nil).traceID)
        #expect(TraceContext(traceparent: attempt(1, nil).traceparent) != nil)
    }

    @Test func `a task knows the span that it works for, and what it starts does`() async throws {
        let trace = try #require(TraceContext(traceparent: Self.header))
        #expect(TraceContext.current == nil)
        await trace.covering {
            #expect(TraceContext.current == trace)
            #expect(await Task { TraceContext.current }.value == trace)
        }
        #expect(TraceContext.current == nil)
    }
}

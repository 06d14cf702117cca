import Instrumentation

/// Where a piece of work belongs: the trace of the request that caused it, and its own span (W3C Trace Context).
///
/// One trace goes from a request through the outbox to each attempt. Anybody may send one, so it is for finding
/// things and decides nothing.
package struct TraceContext: Sendable, Hashable {
    /// The longest header that is read: version 00 has 55 characters, a later one may have more.
    private static let lengthMax = 512

    private let trace: UUIDBits
    private let span: UInt64
    /// Whether whoever began the trace keeps it; every other flag is cleared, as version 00 asks.
    private let isSampled: Bool

    private init(trace: UUIDBits, span: UInt64, isSampled: Bool) {
        // All zero is no id (section 3.2.2.3 and 3.2.2.4).
        self.trace = trace.high | trace.low == 0 ? UUIDBits(high: 0, low: 1) : trace
        self.span = span == 0 ? 1 : span
        self.isSampled = isSampled
    }

    /// Reads a `traceparent`, strictly: lower case, no zero ids, no version ff, nothing after version 00.
    package init?(traceparent text: String) {
        let text = Array(text.utf8.prefix(Self.lengthMax + 1))
        let dash = UInt8(ascii: "-")
        guard text.count >= 55, text.count <= Self.lengthMax, text[2] == dash, text[35] == dash, text[52] == dash,
            let version = Self.number(text[0..<2]), version != 0xFF,
            text.count == 55 || (version > 0 && text[55] == dash),
            let high = Self.number(text[3..<19]), let low = Self.number(text[19..<35]),
            let span = Self.number(text[36..<52]), let flags = Self.number(text[53..<55]),
            high | low != 0, span != 0
        else { return nil }
        self.init(trace: UUIDBits(high: high, low: low), span: span, isSampled: flags & 1 == 1)
    }

    /// Goes on with a trace at a span of its own, or begins one.
    package init(continuing parent: TraceContext?, random: any RandomSource) {
        let bytes = random.bytes(parent == nil ? 24 : 8)
        let span = Self.word(bytes[0..<8])
        if let parent {
            self.init(trace: parent.trace, span: span, isSampled: parent.isSampled)
        } else {
            let trace = UUIDBits(high: Self.word(bytes[8..<16]), low: Self.word(bytes[16..<24]))
            self.init(trace: trace, span: span, isSampled: true)
        }
    }

    /// The span of one attempt at a message.
    ///
    /// In the trace of the request that owed it; what no request has owed, such as a job's messages, has a trace of its
    /// own. All of it follows from the message, so each worker and each retry says the same.
    package init(ofAttempt claimNumber: Int32, at message: MessageID, continuing trace: String?) {
        let parent = trace.flatMap(TraceContext.init(traceparent:))
        let seed = message.uuid.high ^ (message.uuid.low &+ UInt64(bitPattern: Int64(claimNumber)))
        self.init(
            trace: parent?.trace ?? message.uuid, span: Self.mixed(seed), isSampled: parent?.isSampled ?? true)
    }

    /// 32 hexadecimal digits, the same from the request to the last attempt.
    package var traceID: String { String(decoding: Self.hex(trace.high) + Self.hex(trace.low), as: UTF8.self) }

    /// 16 hexadecimal digits.
    package var spanID: String { String(decoding: Self.hex(span), as: UTF8.self) }

    /// The header's value, version 00.
    package var traceparent: String { "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")" }

    private static func hex(_ word: UInt64) -> [UInt8] {
        stride(from: 60, through: 0, by: -4).map { shift in
            let digit = UInt8(word >> UInt64(shift) & 15)
            return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
    }

    private static func number(_ text: ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            number = number << 4 | UInt64(digit)
        }
        return number
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    /// Spreads what differs in a few bits over all of them (the finalizer of SplitMix64).
    private static func mixed(_ seed: UInt64) -> UInt64 {
        var word = seed
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}

extension TraceContext {
    /// That of the task at hand, if it works for a request or a message.
    package static var current: TraceContext? { InstrumentationContext.current?[Key.self] }

    /// Does something as a part of this span: what it logs and what it owes carry the trace.
    package func covering<Output>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Output
    ) async rethrows -> Output {
        var context = InstrumentationContext.current ?? .topLevel
        context[Key.self] = self
        return try await InstrumentationContext.withValue(context, isolation: isolation, operation: body)
    }

    private enum Key: InstrumentationContextKey {
        typealias Value = TraceContext
        static var nameOverride: String? { "traceparent" }
    }
}

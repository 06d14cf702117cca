/// Where chance comes from: ids, tokens, jitter.
///
/// A protocol because tests must own chance: a failing seed repeats.
package protocol RandomSource: Sendable {
    /// So many random bytes, fit for secrets in production.
    func bytes(_ count: Int) -> [UInt8]
}

extension RandomSource {
    /// A number drawn evenly enough from 0 up to, not including, 1: for jitter, never for secrets.
    package func fraction() -> Double {
        let bits = bytes(7).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Double(bits >> 3) / Double(UInt64(1) << 53)
    }
}

/// The operating system's generator (getrandom), fit for secrets.
package struct SystemRandom: RandomSource {
    /// Holds no state, so that any number of these draw from the one generator.
    package init() {}

    package func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 7)
        while bytes.count < count {
            let word: UInt64 = generator.next()
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}

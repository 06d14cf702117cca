import Glibc

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
    /// The most bytes that one call gives (getentropy(3)).
    private static let callMax = 256

    /// Holds no state, so that any number of these draw from the one generator.
    package init() {}

    package func bytes(_ count: Int) -> [UInt8] {
        // One system call for as many as it takes: the standard library's generator makes one for each eight bytes.
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filledCount in
            while filledCount < count {
                let length = min(count - filledCount, Self.callMax)
                guard let base = buffer.baseAddress, unsafe getentropy(base + filledCount, length) == 0 else {
                    // Nothing that follows could be trusted (getentropy(3): only on a kernel without the call).
                    fatalError("the system has no randomness")
                }
                filledCount += length
            }
        }
    }
}

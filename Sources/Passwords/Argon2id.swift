internal import CLibsodium

/// How much work a hash is, for whoever computes it and for whoever guesses.
package struct HashStrength: Sendable, Hashable {
    /// What OWASP names, and the only one that the program has: 19 MiB, two passes, one lane.
    package static let owasp = HashStrength(memoryBytes: 19_456 * 1024, passes: 2)

    let memoryBytes: Int
    let passes: UInt64

    /// States a strength; only tests that hash thousands of times take a weaker one (TidyTests sees to it).
    package init(memoryBytes: Int, passes: UInt64) {
        (self.memoryBytes, self.passes) = (memoryBytes, passes)
    }
}

/// Argon2id as libsodium computes it.
///
/// libsodium and not Debian's libargon2: it uses AVX2 where there is any and takes half the time.
enum Argon2id {
    /// Whether libsodium is ready; initialised once, by whoever asks first.
    private static let isReady = sodium_init() >= 0

    /// The hash in PHC string form, with a salt of its own; nil when memory ran out.
    static func hash(_ password: [UInt8], _ strength: HashStrength = .owasp) -> String? {
        guard isReady else { return nil }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(crypto_pwhash_STRBYTES)) { output in
            guard let output = output.baseAddress else { return nil }
            let code = unsafe withCharacters(of: password) { characters, count in
                unsafe crypto_pwhash_str_alg(
                    output, characters, count, strength.passes, strength.memoryBytes, crypto_pwhash_ALG_ARGON2ID13)
            }
            return unsafe code == 0 ? String(cString: output) : nil
        }
    }

    /// Whether the password has this hash; compared in constant time.
    static func verify(_ password: [UInt8], against hash: String) -> Bool {
        guard isReady, hash.utf8.count < Int(crypto_pwhash_STRBYTES) else { return false }
        return unsafe withCharacters(of: password) { characters, count in
            unsafe hash.withCString { unsafe crypto_pwhash_str_verify($0, characters, count) == 0 }
        }
    }

    /// Hands bytes to C; an empty password is still a pointer, which libsodium insists on.
    private static func withCharacters<Result>(
        of password: [UInt8], _ body: (UnsafePointer<CChar>, UInt64) -> Result
    ) -> Result {
        let terminated = password + [0]
        return unsafe terminated.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { preconditionFailure("an array of one byte has a start") }
            return unsafe body(start.assumingMemoryBound(to: CChar.self), UInt64(password.count))
        }
    }

    /// Whether a hash was made with other parameters than today's.
    static func needsRehash(_ hash: String, _ strength: HashStrength = .owasp) -> Bool {
        unsafe hash.withCString {
            unsafe crypto_pwhash_str_needs_rehash($0, strength.passes, strength.memoryBytes) != 0
        }
    }
}

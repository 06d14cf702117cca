/// The hash pool has no room, or is shutting down; the caller should come back in a moment.
package struct HasherBusy: Error {}

/// A hash could not be computed: memory ran out.
package struct HashFailed: Error {}

/// What comparing a password with a hash came to.
package enum PasswordVerdict: Sendable, Equatable {
    /// `needsRehash`: the hash was made with weaker parameters than today's.
    case matches(needsRehash: Bool)
    case differs
}

/// Hashes passwords with Argon2id on threads of its own.
///
/// Memory is bounded by threads × 19 MiB. Passwords come in as bytes in the form that `PasswordPolicy.bytes`
/// gives them, so that a new keyboard types the same password.
package final class PasswordHasher: Sendable {
    private let threads: HashThreads
    private let strength: HashStrength
    private let hashOfNobody: String
    private let onWait: (@Sendable (Duration) -> Void)?
    private let onRefusal: (@Sendable () -> Void)?
    private let clock = ContinuousClock()

    /// What an unknown address's password is compared with, so that it costs a hash too; no password is known for it.
    package static let hashOfNobody = """
        $argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbi1ieXRlcy1vbg$INgBVIl+jEwLPfJ+QZ3ejDj3enEQERIxEMiEM3YI5/I
        """

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - threads: Hashes at once; the number of cores unless there is a reason.
    ///   - queueMax: How many more may wait.
    ///   - strength: How much work a hash is; the program's own unless a test says otherwise.
    ///   - onWait: Told how long a password waited for a thread.
    ///   - onRefusal: Told that there was no room for one.
    package init(
        threads: Int, queueMax: Int, strength: HashStrength = .owasp, onWait: (@Sendable (Duration) -> Void)? = nil,
        onRefusal: (@Sendable () -> Void)? = nil
    ) {
        self.threads = HashThreads(threads: threads, queueMax: queueMax)
        (self.strength, self.onWait, self.onRefusal) = (strength, onWait, onRefusal)
        // An unknown address has to cost what a known one does, also in a test.
        let nobody = strength == .owasp ? nil : Argon2id.hash(Array("nobody".utf8), strength)
        hashOfNobody = nobody ?? Self.hashOfNobody
    }

    /// Hashes a password with a new salt; throws `HasherBusy` when the queue is full.
    ///
    /// - Returns: A PHC string, which names algorithm, parameters and salt.
    package func hash(_ password: [UInt8]) async throws -> String {
        guard let hash = try await run({ [strength] in Argon2id.hash(password, strength) }) else { throw HashFailed() }
        return hash
    }

    /// Compares a password with a hash; nil for the hash costs the same and differs.
    package func verify(_ password: [UInt8], against hash: String?) async throws -> PasswordVerdict {
        try await run { [strength, hashOfNobody] in
            guard Argon2id.verify(password, against: hash ?? hashOfNobody), let hash else { return .differs }
            return .matches(needsRehash: Argon2id.needsRehash(hash, strength))
        }
    }

    /// Finishes what waits and ends the threads.
    package func shutdown() async {
        await threads.stop()
    }

    /// Verifies in the calling thread: the limit that a sign-in is measured against.
    package static func verifyBlocking(_ password: [UInt8], against hash: String) -> Bool {
        Argon2id.verify(password, against: hash)
    }

    private func run<Output: Sendable>(_ work: @escaping @Sendable () -> Output) async throws -> Output {
        let begin = clock.now
        return try await withCheckedThrowingContinuation { continuation in
            let isTaken = threads.submit { [clock, onWait] in
                onWait?(clock.now - begin)
                let output = work()
                return { continuation.resume(returning: output) }
            }
            guard !isTaken else { return }
            onRefusal?()
            continuation.resume(throwing: HasherBusy())
        }
    }
}

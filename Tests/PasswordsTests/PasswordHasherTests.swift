import Passwords
import Testing

@Suite("Password hasher")
struct PasswordHasherTests {
    private func withHasher<Output>(
        threads: Int = 2, queueMax: Int = 64, _ body: (PasswordHasher) async throws -> Output
    ) async throws -> Output {
        let hasher = PasswordHasher(threads: threads, queueMax: queueMax)
        do {
            let output = try await body(hasher)
            await hasher.shutdown()
            return output
        } catch {
            await hasher.shutdown()
            throw error
        }
    }

    @Test func `a password matches its own hash and no other`() async throws {
        try await withHasher { (hasher) async throws in
            let password = Array("a walk along the river".utf8)
            let hash = try await hasher.hash(password)

            #expect(hash.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
            #expect(try await hasher.verify(password, against: hash) == .matches(needsRehash: false))
            #expect(try await hasher.verify(password + [0], against: hash) == .differs)
            #expect(try await hasher.verify([], against: hash) == .differs)
            #expect(try await hasher.hash(password) != hash)
        }
    }

    @Test func `nobody's hash differs from every password, and is one that libsodium really computes`() async throws {
        try await withHasher { (hasher) async throws in
            #expect(try await hasher.verify(Array("anything".utf8), against: nil) == .differs)
            let nobody = PasswordHasher.hashOfNobody
            #expect(nobody.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
            #expect(nobody.count == (try await hasher.hash([1])).count)
        }
    }

    @Test func `a hash of weaker parameters matches and asks to be replaced`() async throws {
        // Made by argon2-cffi with m=8192, t=1: a hash that was imported.
        let weaker = "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$aVkUaq8ZRjV+E26rY48w9schYSIJcSDNlU1wI6znn9M"
        try await withHasher { (hasher) async throws in
            #expect(
                try await hasher.verify(Array("imported password".utf8), against: weaker) == .matches(needsRehash: true)
            )
        }
    }

    @Test func `a hasher of another strength makes its own hashes, and nobody's costs what they do`() async throws {
        let hasher = PasswordHasher(
            threads: 1, queueMax: 8, strength: HashStrength(memoryBytes: 8192, passes: 1))
        let password = Array("a walk along the river".utf8)

        let hash = try await hasher.hash(password)

        #expect(hash.hasPrefix("$argon2id$v=19$m=8,t=1,p=1$"))
        #expect(try await hasher.verify(password, against: hash) == .matches(needsRehash: false))
        #expect(try await hasher.verify(password, against: nil) == .differs)
        try await withHasher { (program) async throws in
            #expect(try await program.verify(password, against: hash) == .matches(needsRehash: true))
        }
        await hasher.shutdown()
    }

    @Test(arguments: ["", "$argon2id$", "$2b$10$abcdefghijklmnopqrstuv", String(repeating: "$", count: 500)])
    func `what is no hash matches nothing`(hash: String) async throws {
        try await withHasher { (hasher) async throws in
            #expect(try await hasher.verify(Array("password".utf8), against: hash) == .differs)
        }
    }

    @Test func `a full queue turns callers away and finishes those it took`() async throws {
        try await withHasher(threads: 1, queueMax: 2) { (hasher) async throws in
            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        do {
                            _ = try await hasher.hash([1])
                            return true
                        } catch {
                            #expect(error is HasherBusy)
                            return false
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.contains(true))
            #expect(outcomes.contains(false))
        }
    }

    @Test func `after a shutdown nothing is taken`() async throws {
        let hasher = PasswordHasher(threads: 1, queueMax: 8)
        await hasher.shutdown()
        await hasher.shutdown()
        await #expect(throws: HasherBusy.self) { try await hasher.hash([1]) }
    }
}

import Curl
import Foundation
import GatepostClient
import GatepostDev
import GatepostModel
import Synchronization
import Testing
import TestSupport

/// Signing keys change under load, and GatepostClient verifies what two real servers sign.
///
/// The verifiers keep keys for three seconds instead of five minutes, so that what takes an hour takes moments.
@Suite("GatepostClient: keys under load", .timeLimit(.minutes(20)))
struct ClientKeyTests {
    /// Within how many seconds a server of Gatepost's hears of a revocation.
    private static let serverMemory: Duration = .seconds(5)

    private static var policy: KeyPolicy {
        var policy = KeyPolicy()
        policy.ageMax = .seconds(3)
        policy.floor = .milliseconds(500)
        return policy
    }

    @Test func `a rotation and an emergency revocation refuse no valid token, and take none of a revoked key`()
        async throws
    {
        try await Installation.running { installation in
            try await installation.serve()
            try await installation.work()
            let port = try await Installation.freePort()
            try await installation.serve(["GATEPOST_LISTEN": "127.0.0.1:\(port)"])
            let app = try await installation.makeApp()
            let (client, secret) = try await installation.addConfidentialClient(to: app.id)
            let issuer = try GatepostIssuer("\(installation.baseURL)/apps/\(app.id)")
            let source = WatchedSource()
            let load = Load(AccessTokenVerifier(issuer: issuer, source: source, policy: Self.policy)) { number in
                let base = number.isMultiple(of: 2) ? installation.baseURL : "http://127.0.0.1:\(port)"
                return try #require(try await installation.clientToken(app.id, client, secret, at: base))
            }
            // Two servers with memories of their own sign; a second verifier sees the standing token and no new one.
            let idle = AccessTokenVerifier(issuer: issuer, policy: Self.policy)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for worker in 0..<4 { tasks.addTask { try await load.run(worker) } }
                let first = try await load.key(count: 20)
                let second = try await rotate(installation, app, source)
                try await load.waitFor(second, count: 40)
                #expect(first != second)
                #expect(load.refusals.isEmpty && load.putOff.isEmpty, "\(load.refusals) \(load.putOff)")

                let standing = try #require(load.lastToken(of: second))
                _ = try await idle.verify(standing)
                try await revoke(second, of: app, installation, load, standing, idle)
                let third = try await load.key(after: [first, second], count: 40)
                #expect(third != second)
                // Nothing brings it back.
                for _ in 0..<20 {
                    await #expect(throws: TokenRefusal.unknownKey(second)) { try await load.verifier.verify(standing) }
                }
                load.stop()
                try await tasks.waitForAll()
            }
            #expect(load.refusals.isEmpty && load.putOff.isEmpty, "\(load.refusals) \(load.putOff)")
            #expect(load.count > 150)
        }
    }

    /// Revokes a key, and waits until both verifiers refuse what it has signed.
    private func revoke(
        _ key: String, of app: App, _ installation: Installation, _ load: Load, _ standing: String,
        _ idle: AccessTokenVerifier
    ) async throws {
        load.revoke(key)
        let revoked = try await installation.run("keys", "revoke", app.id, key)
        try #require(revoked.exit == .done, "\(revoked.errors)")
        let clock = ContinuousClock()
        let begin = clock.now
        for verifier in [load.verifier, idle] {
            try await eventually(within: .seconds(60), "the revoked key is refused") { () -> Void? in
                do {
                    _ = try await verifier.verify(standing)
                    return nil
                } catch TokenRefusal.unknownKey(key) {
                    return ()
                }
            }
        }
        let took = clock.now - begin
        // What is stated, and some for a machine that does much else.
        #expect(took < Self.serverMemory + Self.policy.ageMax + .seconds(7), "\(took)")
    }

    /// A rotation as the jobs and a worker do it; the hour of notice is one in which verifiers fetch keys as usual.
    private func rotate(_ installation: Installation, _ app: App, _ source: WatchedSource) async throws -> String {
        let ofApp = "from signing_keys where app_id = '\(app.uuid)'"
        try await installation.texts(
            "update signing_keys set activated_at = now() - interval '91 days' where app_id = '\(app.uuid)'")
        let asked = try await installation.run("jobs", "run", "enqueue-key-rotations")
        try #require(asked.exit == .done, "\(asked.errors)")
        try await eventually("a worker makes the next key") {
            try await installation.count("select count(*) \(ofApp) and state = 'next'") == 1 ? () : nil
        }
        struct Key: Decodable {
            let key: String
            let state: String
        }
        let keys = try await installation.run("keys", "list", app.id, "--json").json(as: [Key].self)
        let next = try #require(keys.first { $0.state == "next" }).key
        try await eventually("verifiers fetch it before it signs") { source.hasSeen(next) ? () : nil }
        try await installation.texts(
            "update signing_keys set created_at = now() - interval '2 hours' where app_id = '\(app.uuid)'")
        let activated = try await installation.run("jobs", "run", "activate-signing-keys")
        try #require(activated.exit == .done, "\(activated.errors)")
        return next
    }
}

/// The usual source, and what it has fetched.
private final class WatchedSource: KeySetSource, Sendable {
    private let seen = Mutex("")

    func keySet(at url: URL) async throws -> FetchedKeySet {
        let set = try await URLSessionKeySetSource().keySet(at: url)
        seen.withLock { $0 = String(decoding: set.body, as: UTF8.self) }
        return set
    }

    func hasSeen(_ key: String) -> Bool { seen.withLock { $0.contains(key) } }
}

/// Gets tokens one after another, verifies each at once, and keeps count.
private final class Load: Sendable {
    /// Between two tokens of a task: servers and workers need the machine, too.
    private static let pause: Duration = .milliseconds(20)

    private struct State {
        var counts: [String: Int] = [:]
        var lastTokens: [String: String] = [:]
        var refusals: [String] = []
        var putOff: [String] = []
        var revoked: Set<String> = []
        var isStopped = false
    }

    let verifier: AccessTokenVerifier
    private let token: @Sendable (Int) async throws -> String
    private let state = Mutex(State())

    init(_ verifier: AccessTokenVerifier, token: @escaping @Sendable (Int) async throws -> String) {
        (self.verifier, self.token) = (verifier, token)
    }

    var refusals: [String] { state.withLock { $0.refusals } }
    var putOff: [String] { state.withLock { $0.putOff } }
    var count: Int { state.withLock { $0.counts.values.reduce(0, +) } }

    func lastToken(of key: String) -> String? { state.withLock { $0.lastTokens[key] } }
    func revoke(_ key: String) { state.withLock { _ = $0.revoked.insert(key) } }
    func stop() { state.withLock { $0.isStopped = true } }

    func run(_ number: Int) async throws {
        while !state.withLock({ $0.isStopped }) {
            let token = try await token(number)
            let key = try Self.key(of: token)
            do {
                _ = try await verifier.verify(token)
                state.withLock { state in
                    state.counts[key, default: 0] += 1
                    state.lastTokens[key] = token
                }
            } catch let refusal as TokenRefusal {
                // What a server signs with a revoked key, before it hears of that, is refused rightly.
                state.withLock { if !$0.revoked.contains(key) { $0.refusals.append("\(key): \(refusal)") } }
            } catch let error as KeysUnavailable {
                state.withLock { $0.putOff.append("\(key): \(error)") }
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    /// The key that signs, once so many tokens of it were taken.
    func key(after known: [String] = [], count: Int) async throws -> String {
        try await eventually("tokens of a new key are taken") {
            state.withLock { state in state.counts.first { !known.contains($0.key) && $0.value >= count }?.key }
        }
    }

    func waitFor(_ key: String, count: Int) async throws {
        try await eventually("tokens of \(key) are taken") {
            state.withLock { $0.counts[key, default: 0] >= count } ? () : nil
        }
    }

    private static func key(of token: String) throws -> String {
        struct Header: Decodable {
            let kid: String
        }
        let text = try #require(TokenText(token))
        return try JSONDecoder().decode(Header.self, from: Data(text.header)).kid
    }
}

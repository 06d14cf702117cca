import Foundation
import JWTKit

/// The keys of one issuer, kept for a while.
///
/// However many tokens come in, one request for keys is under way at a time, and two of them begin at least
/// `KeyPolicy.floor` apart.
actor KeySetCache {
    private struct Known {
        let keys: KeySet
        /// When they were true, by the clock that nobody sets back.
        let madeAt: Duration
        /// The same moment, in seconds since 1970.
        let unixSeconds: Int64
    }

    private let url: URL
    private let source: any KeySetSource
    private let policy: KeyPolicy
    private let clock: any ClientClock

    private var known: Known?
    /// Since when each of the known keys has been seen.
    private var seenSince: [String: Duration] = [:]
    /// Keys that were there for a while and are no more: revoked, or retired long ago.
    private var gone: Set<String> = []
    private var running: Task<Void, Never>?
    private var lastStart: Duration?
    private var failure: (error: KeysUnavailable, at: Duration)?
    private var waitingCount = 0

    init(url: URL, source: any KeySetSource, policy: KeyPolicy, clock: any ClientClock) {
        (self.url, self.source, self.policy, self.clock) = (url, source, policy, clock)
    }

    /// The key of an id; nil if the issuer has none.
    ///
    /// - Parameters:
    ///   - id: The `kid` of a token.
    ///   - issuedAt: The `iat` of the token, as it says itself: it decides how hard is looked, and nothing else.
    /// - Returns: The key.
    /// - Throws: `KeysUnavailable`, or `CancellationError`.
    func key(_ id: String, issuedAt: Int64) async throws -> ES256PublicKey? {
        let known = try await freshKeys()
        if let key = known.keys[id] { return key }
        guard !gone.contains(id) else { return nil }
        // Keys that were asked for well after the token was issued would have its key. Most forgeries end here, and
        // cause no request at all.
        guard known.unixSeconds < issuedAt + KeyPolicy.settlingSeconds else { return nil }
        return try await awaitedKey(id)
    }

    /// Keys that are young enough.
    private func freshKeys() async throws -> Known {
        let now = clock.uptime
        if let known, age(of: known, now) < policy.ageMax {
            if age(of: known, now) >= policy.refreshAge { _ = fetching() }
            return known
        }
        let hasJustFailed = failure.map { now - $0.at < KeyPolicy.failureMemory } ?? false
        if let known, hasJustFailed, age(of: known, now) < policy.staleAgeMax {
            // Nobody waits for an issuer that does not answer; it is asked again all along.
            _ = fetching()
            return known
        }
        await fetching()?.value
        guard let known, age(of: known, clock.uptime) < (failure == nil ? policy.ageMax : policy.staleAgeMax) else {
            throw failure?.error ?? KeysUnavailable(reason: "they are being asked for", retryAfter: policy.floor)
        }
        return known
    }

    private func age(of known: Known, _ now: Duration) -> Duration { now - known.madeAt }

    /// Waits for a key that may be new: one that replaces a revoked key signs without having been announced.
    private func awaitedKey(_ id: String) async throws -> ES256PublicKey? {
        guard waitingCount < KeyPolicy.waitingMax else {
            throw KeysUnavailable(reason: "many tokens wait for a new key", retryAfter: policy.floor)
        }
        waitingCount += 1
        defer { waitingCount -= 1 }
        let deadline = clock.uptime + KeyPolicy.patience
        while true {
            await fetching()?.value
            if let key = known?.keys[id] { return key }
            let pause = max(.zero, (lastStart ?? .zero) + policy.floor - clock.uptime)
            guard clock.uptime + pause < deadline else { break }
            try await clock.sleep(for: pause)
        }
        if let failure { throw failure.error }
        return nil
    }

    /// The request that is under way, or a new one; nil while the floor allows none.
    private func fetching() -> Task<Void, Never>? {
        if let running { return running }
        let now = clock.uptime
        if let lastStart, now - lastStart < policy.floor { return nil }
        lastStart = now
        // A task of its own: whoever asked may go away, the others still wait for it.
        let task = Task { await fetch(startedAt: now, unixSeconds: clock.unixSeconds) }
        running = task
        return task
    }

    private func fetch(startedAt: Duration, unixSeconds: Int64) async {
        defer { running = nil }
        do {
            let fetched = try await source.keySet(at: url)
            let keys = try KeySet(fetched.body)
            let age = max(.zero, fetched.age)
            noteChanges(keys, at: startedAt)
            known = Known(
                keys: keys, madeAt: startedAt - age, unixSeconds: unixSeconds - age.components.seconds)
            failure = nil
        } catch {
            failure = (KeysUnavailable(reason: "\(error)", retryAfter: policy.floor), clock.uptime)
        }
    }

    /// Remembers which keys have gone, so that nobody waits for one of them to come.
    ///
    /// One that was seen for a moment only may be missing because the answer is that of a server which has not heard
    /// of it yet.
    private func noteChanges(_ keys: KeySet, at now: Duration) {
        let missing = seenSince.filter { keys[$0.key] == nil && now - $0.value >= KeyPolicy.newKeyAge }
        if gone.count + missing.count > KeySet.keysMax { gone = [] }
        gone.formUnion(missing.keys)
        gone.subtract(keys.ids)
        seenSince = Dictionary(uniqueKeysWithValues: keys.ids.map { ($0, seenSince[$0] ?? now) })
    }
}

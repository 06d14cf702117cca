package import GatepostModel

/// What providers publish, remembered: their documents and their keys.
///
/// For an hour; after that what is known serves on for a day while the provider cannot be asked. A key that is not
/// known has the set fetched anew, at most once a minute: whoever sends tokens with made-up key ids causes no storm.
/// Callers that want the same thing at once share one request.
package actor ProviderDirectory {
    /// How long an answer serves before it is asked for again.
    static let life: Duration = .hours(1)
    /// How long it serves while nothing newer can be had.
    static let staleMax: Duration = .hours(24)
    /// The least time between two requests for a key set.
    static let keysFloor: Duration = .seconds(60)
    /// How long a failure is remembered before the provider is asked again.
    static let failurePause: Duration = .seconds(5)
    /// How many documents are remembered before all are forgotten.
    static let entriesMax = 2000

    private struct Entry<Value: Sendable>: Sendable {
        var value: Value?
        /// When the value came.
        var fetchedAt: Instant?
        /// When it was last asked for, with whatever success.
        var triedAt: Instant?
        var failure: ProviderFault?
    }

    private let port: ProviderPort
    private let clock: any WallClock
    private let allowsPrivate: Bool
    private var documents: [String: Entry<ProviderMetadata>] = [:]
    private var keySets: [String: Entry<ProviderKeys>] = [:]
    private var fetches: [String: Task<Result<[UInt8], ProviderFault>, Never>] = [:]

    /// Wires the directory.
    package init(port: ProviderPort, clock: any WallClock, allowsPrivate: Bool) {
        (self.port, self.clock, self.allowsPrivate) = (port, clock, allowsPrivate)
    }

    /// What an issuer says of itself.
    func metadata(of issuer: String) async -> Result<ProviderMetadata, ProviderFault> {
        let allowsPrivate = allowsPrivate
        let entry = documents[issuer] ?? Entry()
        if let known = Self.answer(of: entry, at: clock.now) { return known }
        let read = await fetch(ProviderMetadata.url(of: issuer)).flatMap { bytes in
            ProviderMetadata.read(bytes, of: issuer, allowsPrivate: allowsPrivate)
        }
        if documents.count >= Self.entriesMax { documents.removeAll() }
        let (next, answer) = Self.updated(documents[issuer] ?? entry, by: read, at: clock.now)
        documents[issuer] = next
        return answer
    }

    /// The keys at an address; fetched anew where none has this id, if the last time is long enough ago.
    func keys(at url: String, for keyID: String?) async -> Result<ProviderKeys, ProviderFault> {
        let entry = keySets[url] ?? Entry()
        if let known = Self.answer(of: entry, at: clock.now) {
            guard case .success(let keys) = known, !keys.knows(keyID),
                Self.hasPassed(Self.keysFloor, since: entry.triedAt, at: clock.now)
            else { return known }
        }
        let read = await fetch(url).flatMap { bytes in
            ProviderKeys.read(bytes).map(Result.success) ?? .failure(ProviderFault.malformed("keys"))
        }
        if keySets.count >= Self.entriesMax { keySets.removeAll() }
        let (next, answer) = Self.updated(keySets[url] ?? entry, by: read, at: clock.now)
        keySets[url] = next
        return answer
    }

    /// What is known and serves; nil if it has to be asked for.
    private static func answer<Value>(of entry: Entry<Value>, at now: Instant) -> Result<Value, ProviderFault>? {
        let isFresh = !hasPassed(life, since: entry.fetchedAt, at: now)
        if isFresh, let value = entry.value { return .success(value) }
        guard let failure = entry.failure, !hasPassed(failurePause, since: entry.triedAt, at: now) else { return nil }
        return stale(entry, at: now).map(Result.success) ?? .failure(failure)
    }

    private static func updated<Value>(
        _ entry: Entry<Value>, by read: Result<Value, ProviderFault>, at now: Instant
    ) -> (Entry<Value>, Result<Value, ProviderFault>) {
        var next = entry
        next.triedAt = now
        switch read {
        case .success(let value):
            (next.value, next.fetchedAt, next.failure) = (value, now, nil)
            return (next, .success(value))
        case .failure(let fault):
            next.failure = fault
            return (next, stale(entry, at: now).map(Result.success) ?? .failure(fault))
        }
    }

    private static func stale<Value>(_ entry: Entry<Value>, at now: Instant) -> Value? {
        hasPassed(staleMax, since: entry.fetchedAt, at: now) ? nil : entry.value
    }

    /// A clock that was set back keeps nothing for longer than its life.
    private static func hasPassed(_ duration: Duration, since start: Instant?, at now: Instant) -> Bool {
        guard let start else { return true }
        return now < start || now - start >= duration
    }

    private func fetch(_ url: String) async -> Result<[UInt8], ProviderFault> {
        if let running = fetches[url] { return await running.value }
        let port = port
        let task = Task { await port.body(of: .get(url)) }
        fetches[url] = task
        let result = await task.value
        fetches[url] = nil
        return result
    }
}

package import GatepostModel
package import GatepostStore
import Synchronization

/// An app's published keys, ready for use: what signs, what verifies, and the set that others fetch.
package struct AppKeys: Sendable {
    /// `{"keys":[…]}` (RFC 7517), public members only.
    package let jwks: [UInt8]
    /// The app's id as it stands in tokens.
    let app: String
    /// What signs access tokens.
    private let accessTokenSigner: TokenSigner?
    /// What signs ID tokens, for clients that ask for this algorithm.
    private let idTokenSigners: [SigningAlgorithm: TokenSigner]
    /// By the encoded header that access tokens of this key carry.
    ///
    /// A token is ours only if its header is byte for byte one that we write, so its `alg`, `jku`, `crit` and
    /// whatever else a forger puts there are never interpreted (RFC 8725, section 3.1): the header finds the key, and
    /// the key knows the one algorithm that it is for. An ID token has another type in it, so it is no access token;
    /// no key signs both kinds but the one on P-256.
    let verifying: [String: VerifyingKey]

    /// One reading of an app's keys; no two are the same, though the keys may be.
    final class Reading: Sendable, Equatable {
        static func == (one: Reading, other: Reading) -> Bool { one === other }
    }

    let reading = Reading()

    /// The same for ID tokens, which clients show again when they sign somebody out.
    let verifyingIDTokens: [String: VerifyingKey]
    /// What users are called by clients with pairwise subjects; nil while the app has none.
    ///
    /// A secret that does not open is an error where a subject is asked for: all other clients go on.
    private let subjects: Result<PairwiseSubjects, any Error>?

    init(_ records: [SigningKeyRecord], subjectSecret: [UInt8]?, of app: AppID, ring: KeyRing) throws {
        subjects = subjectSecret.map { sealed in Result { try SubjectSecret.open(sealed, in: app, keys: ring) } }
        var members: [String] = []
        var verifying: [String: VerifyingKey] = [:]
        var verifyingIDTokens: [String: VerifyingKey] = [:]
        var accessTokenSigner: TokenSigner?
        var idTokenSigners: [SigningAlgorithm: TokenSigner] = [:]
        for record in records {
            let key = try VerifyingKey(record)
            members.append(try key.jwk(record.id))
            let (header, idHeader) = (Self.header(record, Self.accessTokenType), Self.header(record, Self.idTokenType))
            let signing = record.state == .active ? try SigningKeyMaterial.open(record, in: app, keys: ring) : nil
            verifyingIDTokens[idHeader] = key
            idTokenSigners[record.algorithm] =
                signing.map { TokenSigner(header: idHeader, key: $0) } ?? idTokenSigners[record.algorithm]
            guard record.algorithm == .ofAccessTokens else { continue }
            verifying[header] = key
            accessTokenSigner = signing.map { TokenSigner(header: header, key: $0) } ?? accessTokenSigner
        }
        jwks = Array("{\"keys\":[\(members.joined(separator: ","))]}".utf8)
        (self.verifying, self.verifyingIDTokens) = (verifying, verifyingIDTokens)
        (self.accessTokenSigner, self.idTokenSigners) = (accessTokenSigner, idTokenSigners)
        self.app = app.description
    }

    /// What a user is called by the clients of a sector; by those without one, their id.
    package func subject(of user: UserID, in sector: String?) throws -> String {
        guard let sector else { return user.description }
        guard let subjects else { throw NoSubjectSecret() }
        return try subjects.get().subject(of: user, in: sector)
    }

    /// Whether there is what clients of a sector call users by; true for clients without one.
    func knowsSubjects(in sector: String?) -> Bool { sector == nil || subjects != nil }

    /// Whether there is what signs both kinds of token for such clients.
    func signs(idTokensBy algorithm: SigningAlgorithm) -> Bool {
        accessTokenSigner != nil && idTokenSigners[algorithm] != nil
    }

    /// What signs access tokens; throws `NoActiveSigningKey` where nothing does.
    var forAccessTokens: TokenSigner {
        get throws {
            guard let accessTokenSigner else { throw NoActiveSigningKey(algorithm: .ofAccessTokens) }
            return accessTokenSigner
        }
    }

    /// What signs ID tokens of an algorithm; throws `NoActiveSigningKey` where nothing does.
    func forIDTokens(_ algorithm: SigningAlgorithm) throws -> TokenSigner {
        guard let signer = idTokenSigners[algorithm] else { throw NoActiveSigningKey(algorithm: algorithm) }
        return signer
    }

    private static let accessTokenType = "at+jwt"
    private static let idTokenType = "JWT"

    private static func header(_ record: SigningKeyRecord, _ type: String) -> String {
        let (algorithm, id) = (record.algorithm.rawValue, record.id)
        return Base64URL.encode(Array(#"{"alg":"\#(algorithm)","kid":"\#(id)","typ":"\#(type)"}"#.utf8))
    }
}

/// The keys of the apps that were used lately, so that a token costs no read and no unsealing.
package final class KeyCache: Sendable {
    /// How long an app's keys are remembered: how late, at most, a node learns of a rotation or a revocation.
    package static let life: Duration = .seconds(5)
    /// How many apps are remembered; past that the memory is emptied.
    package static let appsMax = 10_000

    private let database: Database
    /// What opens the keys.
    package let ring: KeyRing
    private let clock: any WallClock
    private let entries = Mutex<[AppID: (keys: AppKeys, until: Instant)]>([:])
    let verified = VerifiedTokens()

    /// Wires the cache.
    package init(database: Database, ring: KeyRing, clock: any WallClock) {
        (self.database, self.ring, self.clock) = (database, ring, clock)
    }

    /// The keys of an app.
    ///
    /// - Parameters:
    ///   - scope: The app.
    ///   - suffice: Whether what is remembered will do: what was read before the app's first client of its kind does
    ///     not, and is read once more.
    /// - Returns: The keys, at most `life` old; whether they do now, the caller finds out.
    /// - Throws: `PostgresError`, or `SealBroken` if a key's key-encryption key is gone.
    package func keys(
        of scope: AppScope, where suffice: (AppKeys) -> Bool = { _ in true }
    ) async throws -> AppKeys {
        let now = clock.now
        let known = entries.withLock { $0[scope.appID] }
        // A clock that was set back does not keep an entry for longer than its life.
        if let known, known.until > now, known.until <= now + Self.life, suffice(known.keys) { return known.keys }
        let (records, subjectSecret) = try await database.batch(in: scope) { $0.signingKeys().and($0.subjectSecret()) }
        let keys = try AppKeys(records, subjectSecret: subjectSecret, of: scope.appID, ring: ring)
        if let subjectSecret {
            // What does not open is told to whoever asks for a subject.
            do { try await reseal(subjectSecret, in: scope) } catch is SealBroken {}
        }
        entries.withLock { entries in
            if entries.count >= Self.appsMax { entries.removeAll() }
            entries[scope.appID] = (keys, now + Self.life)
        }
        return keys
    }

    /// Sees to it that a key-encryption key can be retired without anybody becoming somebody else.
    private func reseal(_ sealed: [UInt8], in scope: AppScope) async throws {
        guard let anew = try SubjectSecret.resealed(sealed, in: scope.appID, keys: ring) else { return }
        try await database.batch(in: scope) { $0.resealSubjectSecret(sealed, as: anew) }
    }
}

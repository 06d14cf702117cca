import Crypto
package import GatepostModel
package import GatepostStore
import Synchronization

/// An app's published keys, ready for use: what signs, what verifies, and the set that others fetch.
package struct AppKeys: Sendable {
    /// `{"keys":[…]}` (RFC 7517), public members only.
    package let jwks: [UInt8]
    /// The app's id as it stands in tokens.
    let app: String
    /// What signs, with the headers of access tokens and of ID tokens.
    let active: (header: [UInt8], idHeader: [UInt8], key: P256.Signing.PrivateKey)?
    /// By the encoded header that tokens of this key carry.
    ///
    /// A token is ours only if its header is byte for byte one that we write, so its `alg`, `jku`, `crit` and
    /// whatever else a forger puts there are never interpreted (RFC 8725, section 3.1). An ID token has another type
    /// in it, so it is no access token.
    let verifying: [String: P256.Signing.PublicKey]

    /// One reading of an app's keys; no two are the same, though the keys may be.
    final class Reading: Sendable, Equatable {
        static func == (one: Reading, other: Reading) -> Bool { one === other }
    }

    let reading = Reading()

    /// What users are called by clients with pairwise subjects; nil while the app has none.
    private let subjects: PairwiseSubjects?

    /// The same for ID tokens, which clients show again when they sign somebody out.
    let verifyingIDTokens: [String: P256.Signing.PublicKey]

    init(_ records: [SigningKeyRecord], subjectSecret: [UInt8]?, of app: AppID, ring: KeyRing) throws {
        subjects = try subjectSecret.map { try SubjectSecret.open($0, in: app, keys: ring) }
        var members: [String] = []
        var verifying: [String: P256.Signing.PublicKey] = [:]
        var verifyingIDTokens: [String: P256.Signing.PublicKey] = [:]
        for record in records {
            let key = try P256.Signing.PublicKey(x963Representation: record.publicKey)
            verifying[Self.header(record.id, type: Self.accessTokenType)] = key
            verifyingIDTokens[Self.header(record.id, type: Self.idTokenType)] = key
            let (x, y) = (record.publicKey[1..<33], record.publicKey[33..<65])
            members.append(
                """
                {"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"\(record.id)",\
                "x":"\(Base64URL.encode(x))","y":"\(Base64URL.encode(y))"}
                """)
        }
        jwks = Array("{\"keys\":[\(members.joined(separator: ","))]}".utf8)
        (self.verifying, self.verifyingIDTokens) = (verifying, verifyingIDTokens)
        self.app = app.description
        active = try records.first { $0.state == .active }.map { record in
            (
                Array(Self.header(record.id, type: Self.accessTokenType).utf8),
                Array(Self.header(record.id, type: Self.idTokenType).utf8),
                try SigningKeyMaterial.open(record, in: app, keys: ring)
            )
        }
    }

    /// What a user is called by the clients of a sector; by those without one, their id.
    package func subject(of user: UserID, in sector: String?) throws -> String {
        guard let sector else { return user.description }
        guard let subjects else { throw NoSubjectSecret() }
        return subjects.subject(of: user, in: sector)
    }

    private static let accessTokenType = "at+jwt"
    private static let idTokenType = "JWT"

    private static func header(_ id: SigningKeyID, type: String) -> String {
        Base64URL.encode(Array(#"{"alg":"ES256","kid":"\#(id)","typ":"\#(type)"}"#.utf8))
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
    package func keys(of scope: AppScope) async throws -> AppKeys {
        let now = clock.now
        let known = entries.withLock { $0[scope.appID] }
        // A clock that was set back does not keep an entry for longer than its life.
        if let known, known.until > now, known.until <= now + Self.life { return known.keys }
        let (records, subjectSecret) = try await database.batch(in: scope) { $0.signingKeys().and($0.subjectSecret()) }
        let keys = try AppKeys(records, subjectSecret: subjectSecret, of: scope.appID, ring: ring)
        if let subjectSecret { try await reseal(subjectSecret, in: scope) }
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

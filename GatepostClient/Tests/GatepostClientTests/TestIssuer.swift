import Crypto
import Foundation
import GatepostClient
import Synchronization

/// An issuer as Gatepost is one: it has keys, publishes them, and signs tokens; how it answers is a test's to say.
final class TestIssuer: KeySetSource, Sendable {
    static let app = "app_01kjpsf48yf3gr2mrntwb7e2cn"
    static let text = "https://auth.example.com/apps/\(app)"
    static let client = "cli_01kjpsf48yefhv8zyzj6n25gza"
    static let user = "usr_01kjpsf490e9ra62hhmy3e3ry2"

    struct Down: Error {}

    struct State {
        /// What is published, by id.
        var keys: [String: P256.Signing.PrivateKey] = [:]
        var isDown = false
        var age: Duration = .zero
        /// What is answered instead of the keys.
        var body: String?
        var fetchCount = 0
        /// Whether an answer waits until it is let go.
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
    }

    let clock: ManualClock
    private let state = Mutex(State())

    init(_ clock: ManualClock) {
        self.clock = clock
        addKey("key_1")
    }

    var fetchCount: Int { state.withLock { $0.fetchCount } }

    func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
    }

    func addKey(_ id: String) {
        let key = P256.Signing.PrivateKey()
        state.withLock { $0.keys[id] = key }
    }

    /// A key that is published or was.
    func key(_ id: String) -> P256.Signing.PrivateKey {
        state.withLock { $0.keys[id] } ?? P256.Signing.PrivateKey()
    }

    /// Lets answers go that were held.
    func release() {
        let held = state.withLock { state in
            state.isHeld = false
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    func keySet(at url: URL) async throws -> FetchedKeySet {
        let isHeld = state.withLock { state in
            state.fetchCount += 1
            return state.isHeld
        }
        if isHeld {
            await withCheckedContinuation { continuation in
                let isStillHeld = state.withLock { state in
                    if state.isHeld { state.held.append(continuation) }
                    return state.isHeld
                }
                if !isStillHeld { continuation.resume() }
            }
        }
        return try state.withLock { state in
            if state.isDown { throw Down() }
            return FetchedKeySet(body: Array((state.body ?? Self.document(state.keys)).utf8), age: state.age)
        }
    }

    static func document(_ keys: [String: P256.Signing.PrivateKey]) -> String {
        let members = keys.map { id, key in
            let point = Array(key.publicKey.x963Representation)
            return """
                {"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"\(id)",\
                "x":"\(encode(point[1..<33]))","y":"\(encode(point[33..<65]))"}
                """
        }
        return #"{"keys":[\#(members.joined(separator: ","))]}"#
    }

    /// A verifier that asks this issuer.
    func verifier(_ policy: KeyPolicy = KeyPolicy(), acceptsThirdParties: Bool = false) throws -> AccessTokenVerifier {
        AccessTokenVerifier(
            issuer: try GatepostIssuer(Self.text), acceptsThirdParties: acceptsThirdParties, source: self,
            policy: policy,
            clock: clock)
    }

    /// A token that is good, but for what a test changes.
    func token(
        key id: String = "key_1", signedBy key: P256.Signing.PrivateKey? = nil, header: [String: Any?] = [:],
        claims: [String: Any?] = [:]
    ) throws -> String {
        let now = clock.unixSeconds
        let fullHeader: [String: Any?] = ["alg": "ES256", "kid": id, "typ": "at+jwt"]
        let fullClaims: [String: Any?] = [
            "iss": Self.text, "sub": Self.user, "aud": Self.app, "client_id": Self.client, "app_id": Self.app,
            "sid": "ses_01kjpsf491fkn8r7c3xy8b5yr8", "iat": now, "exp": now + 600, "auth_time": now, "amr": ["pwd"],
            "scope": "openid email", "roles": ["editor"], "permissions": ["notes.write"], "jti": "one",
        ]
        let input = try [fullHeader.merging(header) { $1 }, fullClaims.merging(claims) { $1 }]
            .map { Self.encode(try JSONSerialization.data(withJSONObject: $0.compactMapValues(\.self))) }
            .joined(separator: ".")
        let signature = try (key ?? self.key(id)).signature(for: Data(input.utf8))
        return input + "." + Self.encode(signature.rawRepresentation)
    }

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

extension AccessTokenVerifier {
    /// What verifying comes to: nil for a token that is taken.
    func refusal(of token: String) async throws -> TokenRefusal? {
        do {
            _ = try await verify(token)
            return nil
        } catch let refusal as TokenRefusal {
            return refusal
        }
    }
}

import Crypto
import Foundation
import Synchronization

/// An OpenID provider of the suite's own on loopback: honest, unless a test tells it otherwise.
///
/// It redeems each code once, for the client, the redirect URI and the verifier that it was asked for with, and signs
/// with ES256; so what a test sees refused was refused here and not there.
package final class TestProvider: Sendable {
    /// What it is to do otherwise than an honest provider does.
    package struct Behaviour: Sendable {
        /// Who is signed in there, and what it says of their address; a nil address is left out.
        package var subject = "subject-1"
        package var email: String? = "ada@example.com"
        package var emailIsVerified: Bool? = true
        /// Claims to put in place of the honest ones; nil takes one away.
        package var claims: [String: Claim?] = [:]
        /// How the token is signed.
        package var signing = Signing.own
        /// Header fields beside `alg` and `kid`.
        package var header: [String: String] = [:]
        /// What is answered at a path instead of the honest answer.
        package var answers: [String: [HTTPSink.Step]] = [:]
        /// Members of the discovery document to put in place of the honest ones.
        package var document: [String: Claim] = [:]
    }

    /// A value in a token or a document.
    package enum Claim: Sendable {
        case text(String)
        case number(Int64)
        case truth(Bool)
        case list([String])

        var value: Any {
            switch self {
            case .text(let text): text
            case .number(let number): number
            case .truth(let truth): truth
            case .list(let names): names
            }
        }
    }

    /// Ways to sign a token.
    package enum Signing: Sendable {
        case own
        /// With a key that nobody published, under the published one's id.
        case foreignKey
        /// With a key that nobody published, under an id of its own.
        case unknownKey
        /// Not at all, and saying so.
        case none
        /// HMAC-SHA-256 with the bytes of the published key, as a confused verifier would check it.
        case hmacWithPublicKey
        /// With the published key, and then a claim is changed.
        case tampered
        /// As it is, whatever it says: a token of another provider.
        case given(String)
    }

    /// What a browser was sent with.
    private struct Grant: Sendable {
        let parameters: [String: String]
        var isUsed = false
    }

    private struct State: Sendable {
        var behaviour = Behaviour()
        var grants: [String: Grant] = [:]
        var codeCount = 0
        var refusals: [String] = []
        var lastToken: String?
    }

    /// The client's secret.
    package static let clientID = "client-of-the-app"
    package static let secret = "a-secret-of-the-client"

    private let state: Mutex<State>
    private let key: P256.Signing.PrivateKey
    private let foreign = P256.Signing.PrivateKey()
    /// The second of the test's clock, for `iat` and `exp`.
    private let now: @Sendable () -> Int64

    /// Makes a provider whose time is the test's.
    package init(now: @escaping @Sendable () -> Int64) {
        state = Mutex(State())
        key = P256.Signing.PrivateKey()
        self.now = now
    }

    /// Tells the provider what to do from now on.
    package func behave(_ change: @Sendable (inout Behaviour) -> Void) {
        state.withLock { change(&$0.behaviour) }
    }

    /// Why requests to the token endpoint were refused, in order.
    package var refusals: [String] { state.withLock { $0.refusals } }

    /// The last ID token that it gave.
    package var lastToken: String? { state.withLock { $0.lastToken } }

    /// What the sink answers.
    package func answer(_ request: HTTPSink.Request) -> [HTTPSink.Step] {
        let behaviour = state.withLock { $0.behaviour }
        let issuer = "http://\(request.header("host") ?? "")"
        let path = String(request.target.prefix { $0 != "?" })
        if let steps = behaviour.answers[path] { return steps }
        switch path {
        case "/.well-known/openid-configuration": return Self.json(document(of: issuer, behaviour))
        case "/keys": return Self.json(["keys": [jwk]])
        case "/token": return token(request, issuer, behaviour)
        default: return HTTPSink.answer(404)
        }
    }

    /// Signs the person in at the address that a browser was sent to; returns what the browser is sent back with.
    package func signIn(at location: String) -> [String: String] {
        let parameters = Self.query(of: location)
        let code = state.withLock { state in
            state.codeCount += 1
            let code = "code-\(state.codeCount)"
            state.grants[code] = Grant(parameters: parameters)
            return code
        }
        return ["state": parameters["state"] ?? "", "code": code]
    }

    /// The parameters of an address.
    package static func query(of location: String) -> [String: String] {
        let items = URLComponents(string: location)?.queryItems ?? []
        return items.reduce(into: [:]) { $0[$1.name] = $1.value }
    }

    private func document(of issuer: String, _ behaviour: Behaviour) -> [String: Any] {
        var document: [String: Any] = [
            "issuer": issuer, "authorization_endpoint": "\(issuer)/authorize", "token_endpoint": "\(issuer)/token",
            "jwks_uri": "\(issuer)/keys", "id_token_signing_alg_values_supported": ["ES256"],
        ]
        for (name, claim) in behaviour.document { document[name] = claim.value }
        return document
    }

    private var jwk: [String: String] {
        let point = key.publicKey.rawRepresentation
        return [
            "kty": "EC", "crv": "P-256", "kid": "key-1", "use": "sig", "alg": "ES256",
            "x": Self.base64(point.prefix(32)), "y": Self.base64(point.suffix(32)),
        ]
    }

    private func token(
        _ request: HTTPSink.Request, _ issuer: String, _ behaviour: Behaviour
    ) -> [HTTPSink.Step] {
        let form = Self.query(of: "?" + String(decoding: request.body, as: UTF8.self))
        let basic = Data("\(Self.clientID):\(Self.secret)".utf8).base64EncodedString()
        let flaw: String? = state.withLock { state in
            guard let code = form["code"], let grant = state.grants[code] else { return "unknown code" }
            guard !grant.isUsed else { return "used code" }
            guard request.header("authorization") == "Basic \(basic)" else { return "wrong secret" }
            guard form["redirect_uri"] == grant.parameters["redirect_uri"] else { return "wrong redirect URI" }
            let challenge = Self.base64(Data(SHA256.hash(data: Data((form["code_verifier"] ?? "").utf8))))
            guard grant.parameters["code_challenge"] == challenge else { return "wrong verifier" }
            state.grants[code]?.isUsed = true
            return nil
        }
        if let flaw {
            state.withLock { $0.refusals.append(flaw) }
            return HTTPSink.answer(400, #"{"error": "invalid_grant"}"#)
        }
        let nonce = state.withLock { $0.grants[form["code"] ?? ""]?.parameters["nonce"] }
        let idToken = signed(claims(issuer, nonce, behaviour), behaviour)
        state.withLock { $0.lastToken = idToken }
        return Self.json(["access_token": "provider-access-token", "token_type": "Bearer", "id_token": idToken])
    }

    private func claims(_ issuer: String, _ nonce: String?, _ behaviour: Behaviour) -> [String: Any] {
        var claims: [String: Any] = [
            "iss": issuer, "sub": behaviour.subject, "aud": Self.clientID, "iat": now(), "exp": now() + 300,
        ]
        claims["nonce"] = nonce
        claims["email"] = behaviour.email
        claims["email_verified"] = behaviour.emailIsVerified
        for (name, claim) in behaviour.claims { claims[name] = claim?.value }
        return claims
    }

    private func signed(_ claims: [String: Any], _ behaviour: Behaviour) -> String {
        func token(_ alg: String, kid: String?, _ claims: [String: Any], _ sign: (Data) -> Data) -> String {
            var header: [String: Any] = ["alg": alg]
            header["kid"] = kid
            for (name, value) in behaviour.header { header[name] = value }
            let text = Self.part(header) + "." + Self.part(claims)
            return text + "." + Self.base64(sign(Data(text.utf8)))
        }
        func ecdsa(_ key: P256.Signing.PrivateKey) -> (Data) -> Data {
            { data in (try? key.signature(for: data).rawRepresentation) ?? Data() }
        }
        switch behaviour.signing {
        case .own: return token("ES256", kid: "key-1", claims, ecdsa(key))
        case .foreignKey: return token("ES256", kid: "key-1", claims, ecdsa(foreign))
        case .unknownKey: return token("ES256", kid: "key-2", claims, ecdsa(foreign))
        case .none: return token("none", kid: nil, claims) { _ in Data() }
        case .hmacWithPublicKey:
            let secret = SymmetricKey(data: key.publicKey.rawRepresentation)
            return token("HS256", kid: "key-1", claims) {
                Data(HMAC<SHA256>.authenticationCode(for: $0, using: secret))
            }
        case .tampered:
            let honest = token("ES256", kid: "key-1", claims, ecdsa(key)).split(separator: ".")
            var changed = claims
            changed["sub"] = "somebody-else"
            return "\(honest[0]).\(Self.part(changed)).\(honest[2])"
        case .given(let token): return token
        }
    }

    private static func part(_ object: [String: Any]) -> String {
        base64((try? JSONSerialization.data(withJSONObject: object, options: .sortedKeys)) ?? Data())
    }

    private static func json(_ object: [String: Any]) -> [HTTPSink.Step] {
        HTTPSink.answer(
            headers: ["Content-Type: application/json"],
            String(decoding: (try? JSONSerialization.data(withJSONObject: object)) ?? Data(), as: UTF8.self))
    }

    private static func base64(_ data: some DataProtocol) -> String {
        Data(data).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

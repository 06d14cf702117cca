import Crypto
import Curl
import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// A confidential client of the app, and what it proves itself with.
struct ConfidentialClient {
    let id: ClientID
    let secret: String

    /// `Authorization: Basic …`, id and secret encoded like a form.
    var basic: String { Self.basic("\(id)", secret) }

    static func basic(_ id: String, _ secret: String) -> String {
        "Basic " + Data("\(id):\(secret)".utf8).base64EncodedString()
    }
}

extension TestServer {
    /// Adds a confidential client as an admin does; with RS256 its app gets a key for it, which takes a while.
    func confidentialClient(
        name: String = "Server", idTokensBy algorithm: SigningAlgorithm = .es256
    ) async throws -> ConfidentialClient {
        let answer = try await admin(
            "POST", "\(adminAPI)/clients", key: try await apiKey(.admin),
            json: """
                {"name": "\(name)", "type": "confidential", "redirect_uris": ["\(TestFlows.redirectURI)"],
                 "id_token_signed_response_alg": "\(algorithm.rawValue)"}
                """)
        #expect(answer.status == 201, "\(answer.text)")
        return ConfidentialClient(
            id: try #require(answer.field("id").flatMap { ClientID($0) }), secret: try #require(answer.field("secret")))
    }

    /// A code that waits for a client to exchange it.
    func code(for client: ClientID) async throws -> String {
        var fields = signInFields()
        fields["client_id"] = "\(client)"
        let answer = try await post("\(api)/sign-ins", fields)
        return try #require(answer.field("code"), "\(answer.text)")
    }

    /// Sends a form to an endpoint of the issuer, with an `Authorization` or without.
    func issuer(
        _ endpoint: String, _ form: KeyValuePairs<String, String>, authorization: String? = nil
    ) async throws -> HTTPResponse {
        let path = "\(hosted)/oauth/\(endpoint)"
        guard let authorization else { return try await post(path, form: form) }
        return try await post(path, form: form, headers: ["Authorization": authorization])
    }
}

/// A key pair of a client that proves itself by signing, and its proofs.
struct ClientSigner {
    let key = P256.Signing.PrivateKey()
    let keyID: String

    init(keyID: String = "one") {
        self.keyID = keyID
    }

    /// The public key as a member of a key set.
    var jwk: String {
        let point = key.publicKey.x963Representation
        return """
            {"kty": "EC", "crv": "P-256", "kid": "\(keyID)", "use": "sig", "alg": "ES256", \
            "x": "\(Base64URL.encode(point[1..<33]))", "y": "\(Base64URL.encode(point[33..<65]))"}
            """
    }

    /// A proof, but for what a test changes; nil leaves a claim out.
    func proof(
        of client: ClientID, on server: TestServer, _ changes: [String: Any?] = [:],
        header changedHeader: [String: Any] = [:]
    ) throws -> String {
        let now = server.app.clock.now.seconds
        var claims: [String: Any] = [
            "iss": "\(client)", "sub": "\(client)", "aud": "\(TestFlows.baseURL)\(server.hosted)",
            "jti": UUID().uuidString, "iat": now, "exp": now + 60,
        ]
        for (name, value) in changes { claims[name] = value }
        var header: [String: Any] = ["alg": "ES256", "kid": keyID, "typ": "JWT"]
        header.merge(changedHeader) { $1 }
        let input = try [header, claims].map { Base64URL.encode(try JSONSerialization.data(withJSONObject: $0)) }
            .joined(separator: ".")
        return input + "." + Base64URL.encode(try key.signature(for: Data(input.utf8)).rawRepresentation)
    }
}

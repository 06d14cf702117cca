import Crypto
import Foundation
import TestSupport
import Testing

/// idpyoidc, a strict relying party that we did not write, and what it refuses.
@Suite("A strict relying party", .timeLimit(.minutes(20)))
struct StrictPartyTests {
    private static let email = "ada@example.com"

    private struct JWK: Encodable {
        let kty = "EC"
        let crv = "P-256"
        let use = "sig"
        let kid = "key-1"
        let x: String
        let y: String
        let d: String?

        init(_ key: P256.Signing.PrivateKey, isPrivate: Bool) {
            let point = key.publicKey.rawRepresentation
            (x, y) = (Self.text(point.prefix(32)), Self.text(point.suffix(32)))
            d = isPrivate ? Self.text(key.rawRepresentation) : nil
        }

        private static func text(_ data: Data) -> String {
            data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
    }

    private struct Client: Encodable {
        let id: String
        let secret: String?
        let key: JWK?
    }

    private struct Question: Encodable {
        let issuer: String
        let base_url: String
        let app: String
        let email: String
        let redirect_uri: String
        let clients: [String: Client]
    }

    private struct Answer: Decodable {
        struct Told: Decodable, Equatable {
            let sub: String
            let email: String
        }

        let flows: [String: Told]
        let refused: [String: String?]
    }

    /// Each broken answer, and a word of the reason for which it must be refused: for another one it shows nothing.
    private static let reasons = [
        "a signature of other bytes": "BadSignature", "another issuer": "Unknown issuer",
        "another audience": "NotForMe",
        "two audiences and no party": "azp", "another nonce": "nonce", "no nonce": "nonce", "expired": "EXPError",
        "of the future": "IATError", "no subject": "sub", "no signature": "None not allowed",
        "a key that is not in the set": "MissingSigningKey", "another user's userinfo": "sub",
        "metadata of another issuer": "issuer mismatch", "another state": "Unknown state",
    ]

    @Test func `idpyoidc completes every flow, and refuses fourteen broken answers, each for its reason`() async throws
    {
        try await Installation.running { installation in
            try await installation.serve()
            try await installation.work()
            let app = try await installation.makeApp()
            try await app.openAccount(Self.email)
            let key = P256.Signing.PrivateKey()
            let admin = try await installation.makeAPIKey()
            let jwk = try JSONEncoder().encode(JWK(key, isPrivate: false))
            let secret = try await app.makeConfidential(admin, redirectURI: App.redirectURI)
            let signed = try await app.makeConfidential(
                admin, redirectURI: App.redirectURI, jwks: #"{"keys": [\#(String(decoding: jwk, as: UTF8.self))]}"#)

            let withSecret = Client(id: secret.id, secret: secret.secret, key: nil)
            let answer: Answer = try await Outside.ask(
                "strict_party.py",
                Question(
                    issuer: "\(installation.baseURL)/apps/\(app.id)", base_url: installation.baseURL, app: app.id,
                    email: Self.email, redirect_uri: App.redirectURI,
                    clients: [
                        "basic": withSecret, "post": withSecret,
                        "key": Client(id: signed.id, secret: nil, key: JWK(key, isPrivate: true)),
                    ]), within: .seconds(300))

            let flows: Set = [
                "client_secret_basic", "client_secret_post", "private_key_jwt", "refresh", "prompt=none and max_age",
                "logout", "pushed", "signed anew",
            ]
            #expect(Set(answer.flows.keys) == flows)
            #expect(Set(answer.flows.values.map(\.sub)).count == 1)
            #expect(answer.flows.values.allSatisfy { $0.email == Self.email })
            #expect(Set(answer.refused.keys) == Set(Self.reasons.keys))
            for (name, word) in Self.reasons {
                let reason = answer.refused[name] ?? nil
                #expect(reason?.contains(word) == true, "\(name): \(reason ?? "it was taken")")
            }
        }
    }
}

import Curl
import Foundation
import GatepostDev
import TestSupport
import Testing

/// A confidential client, as the admin API answers with it.
struct MadeClient: Decodable, Sendable {
    let id: String
    /// Nil where the client has keys.
    let secret: String?
}

extension App {
    /// What the person of `python/recipes/person.py` types.
    static let personPassword = "a walk along the river"

    /// Opens an account, with the code from the mail; `work` must be running.
    func openAccount(_ email: String, password: String = App.personPassword) async throws {
        let signUp = try await signUp(email, password: password)
        try await installation.waitUntilNothingIsOwed()
        let secrets = try MailSecrets(try #require(await installation.relay.mails().last))
        #expect(try await verify(signUp, code: secrets.code).status == 200)
    }

    /// Adds a confidential client by the admin API.
    ///
    /// - Parameters:
    ///   - key: An admin's API key.
    ///   - redirectURI: Where it may be sent back to, also after a sign-out.
    ///   - jwks: Its public keys, in JSON, in place of a secret.
    /// - Returns: The client.
    /// - Throws: What kept the request from being answered.
    func makeConfidential(_ key: String, redirectURI: String, jwks: String? = nil) async throws -> MadeClient {
        let path = "/v1/admin/apps/\(id)/clients"
        let headers: KeyValuePairs = ["Authorization": "Bearer \(key)", "Content-Type": "application/json"]
        let keys = jwks.map { #", "jwks": \#($0)"# } ?? ""
        let made = try await installation.send(
            "POST", path, headers: headers,
            body: #"{"name": "Web", "type": "confidential", "redirect_uris": ["\#(redirectURI)"]\#(keys)}"#)
        try #require(made.status == 201, "\(made.text)")
        let client = try JSONDecoder().decode(MadeClient.self, from: Data(made.body))
        let changed = try await installation.send(
            "PATCH", "\(path)/\(client.id)", headers: headers,
            body: #"{"post_logout_redirect_uris": ["\#(redirectURI)"]}"#)
        try #require(changed.status == 200, "\(changed.text)")
        return client
    }
}

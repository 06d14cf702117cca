import Curl
import Foundation
import GatepostDev
import TestSupport
import Testing

/// A confidential client, as the command line answers with it.
struct MadeClient: Sendable {
    let id: String
    /// Nil where the client has keys.
    let secret: String?
}

extension App {
    /// What the person of `python/recipes/person.py` types.
    static let personPassword = "a walk along the river"

    /// Opens an account, with the code from the mail; `work` must be running.
    func openAccount(_ email: String, password: String = App.password) async throws {
        let signUp = try await signUp(email, password: password)
        try await installation.waitUntilNothingIsOwed()
        let mail = try #require(await installation.relay.mails().last { $0.recipients == [email] })
        try #require(try await verify(signUp, code: MailSecrets(mail).code).status == 200)
    }

    /// Opens an account and signs in to it; `work` must be running.
    func signedIn(_ email: String, password: String = App.password) async throws -> Tokens {
        try await openAccount(email, password: password)
        let answer = try await signIn(email, password: password)
        return try Tokens(try await exchange(try #require(answer.field("code"), "\(answer.text)")))
    }

    /// Adds a confidential client.
    ///
    /// - Parameters:
    ///   - redirectURI: Where it may be sent back to, also after a sign-out.
    ///   - jwks: Its public keys, in JSON, in place of a secret.
    ///   - arguments: More of them for `gatepost clients add`.
    /// - Returns: The client.
    /// - Throws: What kept the program from running.
    func makeConfidential(
        redirectURI: String? = nil, jwks: String? = nil, _ arguments: String...
    ) async throws -> MadeClient {
        struct Made: Decodable {
            let client: String
            let secret: String?
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
        try jwks.map { try Data($0.utf8).write(to: file) }
        defer { if jwks != nil { try? FileManager.default.removeItem(at: file) } }
        let options =
            (redirectURI.map { ["--redirect-uri", $0] } ?? []) + (jwks == nil ? [] : ["--keys-file", file.path])
        let added = try await Program.run(
            ["clients", "add", id, "Web", "--confidential", "--json"] + options + arguments,
            environment: installation.settings)
        try #require(added.exit == .done, "\(added.errors)")
        let made = try added.json(as: Made.self)
        if let redirectURI {
            let changed = try await installation.run(
                "clients", "change", id, made.client, "--post-logout-uri", redirectURI)
            try #require(changed.exit == .done, "\(changed.errors)")
        }
        return MadeClient(id: made.client, secret: made.secret)
    }
}

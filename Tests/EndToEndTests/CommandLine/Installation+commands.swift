import Curl
import Foundation
import GatepostDev
import GatepostModel
import TestSupport
import Testing

extension Installation {
    /// A token that a client gets for itself; nil where it is refused.
    func clientToken(_ app: String, _ client: String, _ secret: String, at base: String? = nil) async throws -> String?
    {
        let proof = Data("\(client):\(secret)".utf8).base64EncodedString()
        let answer = try await send(
            "POST", "\(base ?? baseURL)/apps/\(app)/oauth/token",
            headers: ["Authorization": "Basic \(proof)", "Content-Type": "application/x-www-form-urlencoded"],
            body: "grant_type=client_credentials")
        return answer.field("access_token")
    }

    /// A confidential client, added by the command line.
    func addConfidentialClient(
        to app: String, _ arguments: String...
    ) async throws -> (client: String, secret: String) {
        struct Made: Decodable {
            let client: String
            let secret: String
        }
        let outcome = try await Program.run(
            ["clients", "add", app, "Server", "--confidential", "--json"] + arguments, environment: settings)
        try #require(outcome.exit == .done, "\(outcome.errors)")
        let made = try outcome.json(as: Made.self)
        return (made.client, made.secret)
    }

    /// Signs somebody up, verifies them, and signs them in; workers must run.
    func signedIn(_ email: String, to app: App) async throws -> App.Tokens {
        let signUp = try await app.signUp(email)
        try await waitUntilNothingIsOwed()
        let mails = await relay.mails()
        let mail = try #require(mails.last { $0.recipients == [email] })
        try #require(try await app.verify(signUp, code: MailSecrets(mail).code).status == 200)
        let code = try #require(try await app.signIn(email).field("code"))
        return try App.Tokens(try await app.exchange(code))
    }
}

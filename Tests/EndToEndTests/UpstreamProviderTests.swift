import Curl
import Foundation
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// Canaille, an OpenID provider that we did not write, signs people in to the real program.
@Suite("An upstream provider", .timeLimit(.minutes(20)))
struct UpstreamProviderTests {
    private static let email = "ada@example.com"

    private struct Question: Encodable {
        let base_url: String
        let app: String
        let client: String
        let redirect_uri: String
        let challenge: String
        let issuer: String
        let cookies: [String: [String: String]]
    }

    /// Where a browser ended.
    private struct Ended: Decodable {
        let url: String
        let page: String?
        let cookies: [String: [String: String]]
    }

    @Test func `a person comes by Canaille, proves the address once, and comes by Canaille alone from then on`()
        async throws
    {
        try await Installation.running { installation in
            try await installation.serve()
            try await installation.work()
            let app = try await installation.makeApp()
            let port = try await Installation.freePort()
            let issuer = "http://127.0.0.1:\(port)"
            let callback = try await addProvider(issuer, to: app)
            let canaille = try await OutsideProgram(
                try Outside.python,
                [Outside.folder.appendingPathComponent("run_canaille.py").path, "\(port)", callback, Self.email])
            do {
                #expect(try await canaille.lines(count: 1, within: .seconds(180)) == ["ready"])
                try await story(app, issuer)
                await canaille.stop()
            } catch {
                await canaille.stop()
                throw error
            }
        }
    }

    /// Canaille does not say whether it has verified an address: so the first time its owner proves it by mail.
    private func story(_ app: App, _ issuer: String) async throws {
        let installation = app.installation
        let first = try await browse(app, issuer, cookies: [:])
        let page = try #require(first.page, "the browser went to \(first.url)")
        let refusals = try await installation.texts("select reason from audit_events where reason is not null")
        #expect(page.contains(Self.email) && first.url.hasPrefix(installation.baseURL), "\(refusals) \(first.url)")
        #expect(try await installation.texts("select email from users").isEmpty)

        let signUp = try await app.signUp(Self.email)
        try await installation.waitUntilNothingIsOwed()
        let secrets = try MailSecrets(try #require(await installation.relay.mails().last))
        #expect(try await app.verify(signUp, code: secrets.code).status == 200)

        let request = try #require(page.firstMatch(of: /sign-in\?request=(arq_[0-9a-z]+)/)?.1)
        let host = installation.baseURL.replacing("http://", with: "")
        let cookie = (first.cookies[host] ?? [:]).map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
        let form = try await installation.send(
            "GET", "/apps/\(app.id)/sign-in?request=\(request)", headers: ["Cookie": cookie]
        ).text
        let token = try #require(form.firstMatch(of: /name="form_token" value="([^"]+)"/)?.1)
        let password = App.password.replacing(" ", with: "+")
        let signedIn = try await installation.send(
            "POST", "/apps/\(app.id)/sign-in?request=\(request)",
            headers: [
                "Cookie": cookie, "Sec-Fetch-Site": "same-origin",
                "Content-Type": "application/x-www-form-urlencoded",
            ], body: "email=ada%40example.com&password=\(password)&form_token=\(token)")
        #expect(signedIn.status == 303 && signedIn.header("Location")?.hasPrefix(App.redirectURI) == true)
        #expect(
            try await installation.texts("select issuer || ' ' || subject from user_identities")
                == ["\(issuer) ada"])

        let again = try await browse(app, issuer, cookies: [:])
        #expect(again.page == nil && again.url.contains("state=of-the-client"), "\(again.url) \(again.page ?? "")")
        let code = try #require(URLComponents(string: again.url)?.queryItems?.first { $0.name == "code" }?.value)
        let tokens = try App.Tokens(try await app.exchange(code))
        #expect(try await app.asUser(tokens.access).field("user.email") == Self.email)
        let identities = try await app.asUser(tokens.access, "GET", "me/identities")
        #expect(identities.text.contains(#""provider":"canaille""#), "\(identities.text)")
    }

    private func addProvider(_ issuer: String, to app: App) async throws -> String {
        struct Key: Decodable {
            let key: String
        }
        let made = try await app.installation.run(
            "admins", "api-keys", "create", "Test", "--role", "admin", "--json")
        try #require(made.exit == .done, "\(made.errors)")
        let key = try made.json(as: Key.self).key
        let answer = try await app.installation.send(
            "POST", "/v1/admin/apps/\(app.id)/identity-providers",
            headers: ["Authorization": "Bearer \(key)", "Content-Type": "application/json"],
            body: """
                {"name": "canaille", "kind": "openid", "label": "Canaille", "issuer": "\(issuer)",
                 "client_id": "gatepost", "secret": "canaille-secret-of-gatepost"}
                """)
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(answer.field("redirect_uri"))
    }

    private func browse(
        _ app: App, _ issuer: String, cookies: [String: [String: String]]
    ) async throws -> Ended {
        try await Outside.ask(
            "sign_in_upstream.py",
            Question(
                base_url: app.installation.baseURL, app: app.id, client: app.client, redirect_uri: App.redirectURI,
                challenge: try #require(CodeChallenge(verifier: App.codeVerifier)?.text), issuer: issuer,
                cookies: cookies))
    }
}

import Crypto
import Curl
import Foundation
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// An app of an installation, and the steps that a person takes in it, over HTTP.
struct App: Sendable {
    static let redirectURI = "https://app.example/callback"
    static let password = "seven lanterns over quiet water"
    static let codeVerifier = "end-to-end-verifier-of-sixty-four-characters-0123456789abcdefghi"

    let installation: Installation
    let id: String
    let client: String
    /// One that the client has registered.
    var redirectURI = App.redirectURI

    private var api: String { "/v1/apps/\(id)" }

    /// A sign-up that was begun.
    struct SignUp: Sendable {
        let email: String
        let flow: String
        let token: String
        /// What the browser that began it sends along.
        let cookie: String

        /// The flow's id as the database has it.
        var flowUUID: String { hex(FlowID(flow)?.uuid.bytes) }
    }

    /// Begins a sign-up; the raw answer.
    func trySignUp(_ email: String, password: String = App.password) async throws -> HTTPResponse {
        try await post("\(api)/sign-ups", ["email": email, "password": password])
    }

    /// Begins a sign-up.
    func signUp(_ email: String, password: String = App.password) async throws -> SignUp {
        let answer = try await trySignUp(email, password: password)
        try #require(answer.status == 202, "\(answer.status) \(answer.text)")
        let cookie = try #require(answer.header("Set-Cookie")?.split(separator: ";").first)
        return SignUp(
            email: email, flow: try #require(answer.field("flow")), token: try #require(answer.field("flow_token")),
            cookie: String(cookie))
    }

    /// Types the mail's code.
    func verify(_ signUp: SignUp, code: String) async throws -> HTTPResponse {
        try await post(
            "\(api)/sign-ups/verify", ["flow": signUp.flow, "flow_token": signUp.token, "code": code])
    }

    /// Signs in with the password; the raw answer.
    func signIn(_ email: String, password: String = App.password) async throws -> HTTPResponse {
        let challenge = try #require(CodeChallenge(verifier: Self.codeVerifier)?.text)
        return try await post(
            "\(api)/sign-ins",
            [
                "client_id": client, "redirect_uri": redirectURI, "code_challenge": challenge,
                "code_challenge_method": "S256", "email": email, "password": password,
            ])
    }

    /// Exchanges an authorization code.
    func exchange(_ code: String, verifier: String = App.codeVerifier) async throws -> HTTPResponse {
        try await token([
            "grant_type": "authorization_code", "code": code, "client_id": client, "redirect_uri": redirectURI,
            "code_verifier": verifier,
        ])
    }

    /// Exchanges a refresh token.
    func refresh(_ token: String) async throws -> HTTPResponse {
        try await self.token(["grant_type": "refresh_token", "refresh_token": token, "client_id": client])
    }

    /// What a session was given.
    struct Tokens: Sendable {
        let access: String
        let refresh: String

        init(_ answer: HTTPResponse) throws {
            access = try #require(answer.field("access_token"), "\(answer.status) \(answer.text)")
            refresh = try #require(answer.field("refresh_token"))
        }
    }

    /// Sends a request with an access token.
    func asUser(_ accessToken: String, _ method: String = "GET", _ path: String = "me") async throws -> HTTPResponse {
        try await installation.send(method, "\(api)/\(path)", headers: ["Authorization": "Bearer \(accessToken)"])
    }

    /// Sends a request with an access token and a body.
    func asUser(
        _ accessToken: String, _ method: String, _ path: String, _ fields: [String: String]
    ) async throws -> HTTPResponse {
        try await installation.send(
            method, "\(api)/\(path)",
            headers: ["Authorization": "Bearer \(accessToken)", "Content-Type": "application/json"],
            body: String(decoding: try JSONEncoder().encode(fields), as: UTF8.self))
    }

    /// The audit trail's kinds, in order.
    func auditKinds() async throws -> [String] {
        try await installation.texts(
            "select kind from audit_events where app_id = '\(uuid)' order by transaction_id, id")
    }

    /// The id as the database has it.
    var uuid: String { hex(AppID(id)?.uuid.bytes) }

    func post(_ path: String, _ fields: [String: String]) async throws -> HTTPResponse {
        let body = String(decoding: try JSONEncoder().encode(fields), as: UTF8.self)
        return try await installation.send("POST", path, headers: ["Content-Type": "application/json"], body: body)
    }

    private func token(_ fields: KeyValuePairs<String, String>) async throws -> HTTPResponse {
        let form = fields.map { name, value in
            "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? value)"
        }
        return try await installation.send(
            "POST", "/apps/\(id)/oauth/token", headers: ["Content-Type": "application/x-www-form-urlencoded"],
            body: form.joined(separator: "&"))
    }
}

/// An id's bytes as the database writes them, without hyphens.
func hex(_ bytes: [UInt8]?) -> String {
    (bytes ?? []).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

extension Installation {
    /// Creates an app with a client, by the command line.
    func makeApp(_ name: String = "Lighthouse") async throws -> App {
        struct Made: Decodable {
            let app: String
            let client: String
        }
        let outcome = try await run(
            "apps", "create", name, "--redirect-uri", App.redirectURI, "--id-token-alg", "ES256", "--json")
        try #require(outcome.exit == .done, "\(outcome.errors)")
        let made = try outcome.json(as: Made.self)
        return App(installation: self, id: made.app, client: made.client)
    }

    /// Clicks the button of a link's page, in the browser with this cookie, after filling in what it asks for.
    func click(_ link: String, cookie: String? = nil, password: String? = nil) async throws -> HTTPResponse {
        // Any page of the app with a form leaves the cookie and says the token; that of a link that is over has none.
        let app = link.components(separatedBy: "/links/")[0]
        let page = try await send("GET", "\(app)/password-reset")
        let given = try #require(page.header("Set-Cookie")).prefix { $0 != ";" }
        let token = try #require(page.text.firstMatch(of: /name="form_token" value="([^"]+)"/)?.1)
        return try await send(
            "POST", link,
            headers: [
                "Cookie": [cookie, String(given)].compactMap(\.self).joined(separator: "; "), "Origin": baseURL,
                "Sec-Fetch-Site": "same-origin",
                "Content-Type": "application/x-www-form-urlencoded",
            ],
            body: "form_token=\(token)" + (password.map { "&password=" + $0.replacing(" ", with: "+") } ?? ""))
    }
}

/// What a person finds in a mail.
struct MailSecrets: Sendable, Equatable {
    let link: String
    let code: String

    init(_ mail: ReceivedMail) throws {
        let text = CaughtMail(mail).text
        link = String(try #require(text.firstMatch(of: /https?:\/\/\S+\/links\/\S+/), "\(text)").output)
        code = String(try #require(text.firstMatch(of: /\b[0-9]{8}\b/), "\(text)").output)
    }

    /// The part of the link that is secret.
    var linkToken: String { String(link.split(separator: "/").last ?? "") }
}

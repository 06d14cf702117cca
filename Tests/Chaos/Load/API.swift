import Curl
import Foundation
import GatepostModel
import TestSupport

/// Gatepost's HTTP as its clients see it: an answer may be a yes, a no, or none at all.
struct API: Sendable {
    static let redirectURI = "https://app.example/callback"
    static let password = "seven lanterns over quiet water"
    private static let verifier = "chaos-code-verifier-of-sixty-four-characters-0123456789abcdefghi"

    /// What came of a request.
    enum Answer: Sendable {
        case yes(HTTPResponse)
        /// Refused, and nothing was changed.
        case no(Int, String)
        /// No answer, or one that does not say whether it was done.
        case unknown
    }

    let http: HTTPClient
    let baseURL: String
    let app: String
    let client: String
    /// Of an admin.
    let key: String
    let successes: Successes

    /// Begins a sign-up.
    func signUp(_ email: String) async -> Answer {
        await post("/v1/apps/\(app)/sign-ups", ["email": email, "password": Self.password])
    }

    /// Types the code of a mail.
    func verify(flow: String, token: String, code: String) async -> Answer {
        await post("/v1/apps/\(app)/sign-ups/verify", ["flow": flow, "flow_token": token, "code": code])
    }

    /// Signs in; a yes has a code.
    func signIn(_ email: String) async -> Answer {
        await post(
            "/v1/apps/\(app)/sign-ins",
            [
                "client_id": client, "redirect_uri": Self.redirectURI,
                "code_challenge": CodeChallenge(verifier: Self.verifier)?.text ?? "",
                "code_challenge_method": "S256", "email": email, "password": Self.password,
            ])
    }

    /// Exchanges a code; a yes has tokens.
    func exchange(_ code: String) async -> Answer {
        await token([
            "grant_type": "authorization_code", "code": code, "client_id": client, "redirect_uri": Self.redirectURI,
            "code_verifier": Self.verifier,
        ])
    }

    /// Exchanges a refresh token.
    func refresh(_ token: String) async -> Answer {
        await self.token(["grant_type": "refresh_token", "refresh_token": token, "client_id": client])
    }

    /// Finds a user by address, as an admin.
    func user(_ email: String) async -> String? {
        let answer = await send("GET", "/v1/admin/apps/\(app)/users?email=\(email)", asAdmin)
        guard case .yes(let response) = answer else { return nil }
        return response.text.firstMatch(of: /usr_[0-9a-z]{26}/).map { String($0.output) }
    }

    /// Deactivates a user, as an admin; a repeat with the same key acts once.
    func deactivate(_ user: String, idempotencyKey: String) async -> Answer {
        let headers = asAdmin + [.init("Idempotency-Key", idempotencyKey), .init("Content-Type", "application/json")]
        return await send("POST", "/v1/admin/apps/\(app)/users/\(user)/deactivate", headers, body: "{}")
    }

    /// Makes an endpoint that is told of everything.
    func makeEndpoint(_ url: String) async -> Answer {
        let types = ["user.created", "user.verified", "user.deactivated", "user.reactivated", "session.ended"]
        let list = types.map { "\"\($0)\"" }.joined(separator: ", ")
        return await send(
            "POST", "/v1/admin/apps/\(app)/webhook-endpoints", asAdmin + [.init("Content-Type", "application/json")],
            body: "{\"url\": \"\(url)\", \"event_types\": [\(list)]}")
    }

    private var asAdmin: [HTTPRequest.Header] { [.init("Authorization", "Bearer \(key)")] }

    private func post(_ path: String, _ fields: [String: String]) async -> Answer {
        let body = (try? JSONEncoder().encode(fields)).map { String(decoding: $0, as: UTF8.self) }
        return await send("POST", path, [.init("Content-Type", "application/json")], body: body)
    }

    private func token(_ fields: KeyValuePairs<String, String>) async -> Answer {
        let form = fields.map { name, value in
            "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? value)"
        }
        return await send(
            "POST", "/apps/\(app)/oauth/token", [.init("Content-Type", "application/x-www-form-urlencoded")],
            body: form.joined(separator: "&"))
    }

    private func send(
        _ method: String, _ path: String, _ headers: [HTTPRequest.Header], body: String? = nil
    ) async -> Answer {
        var request = HTTPRequest(method, baseURL + path, headers: headers, body: body.map { Array($0.utf8) })
        request.connectTimeout = .seconds(2)
        request.deadline = .seconds(12)
        let begin = successes.now
        guard let response = try? await http.send(request) else { return .unknown }
        switch response.status {
        case 200..<300:
            successes.saw(.api, begunAt: begin)
            return .yes(response)
        case 400..<500 where response.status != 429: return .no(response.status, response.field("code") ?? "")
        default: return .unknown
        }
    }
}

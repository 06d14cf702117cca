import Curl
import Crypto
import Foundation
import GatepostModel
import TestSupport
import Testing

/// The claims of a token, as its reader decodes them; nothing is verified here.
struct ReadToken {
    let header: [String: Any]
    let claims: [String: Any]

    init(_ token: String) throws {
        let parts = token.split(separator: ".").map { Array($0.utf8) }
        func object(_ part: [UInt8]) throws -> [String: Any] {
            let bytes = try #require(Base64URL.decode(part))
            return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        }
        try #require(parts.count == 3)
        (header, claims) = (try object(parts[0]), try object(parts[1]))
    }

    subscript(name: String) -> String? { claims[name] as? String }

    func number(_ name: String) -> Int64? { (claims[name] as? NSNumber)?.int64Value }
}

extension TestServer {
    /// Signs a verified user in by the pages, to the client's code.
    func browse(
        _ changes: [String: String?], in browser: TestBrowser? = nil, email: String = "ada@example.com"
    ) async throws -> HTTPResponse {
        let browser = browser ?? TestBrowser(self)
        let begun = try await browser.open(authorizePath(changes))
        guard let page = begun.location, page.contains("/sign-in?") else { return begun }
        return try await browser.submit(page, ["email": email, "password": TestServer.password])
    }

    /// The answer of the token endpoint to a client that asked for this scope.
    func openIDTokens(
        scope: String = "openid email profile", nonce: String? = "n-1"
    ) async throws -> HTTPResponse {
        let answer = try await browse(["scope": scope, "nonce": nonce])
        return try await exchange(try #require(answer.parameter("code"), "\(answer.text)"))
    }

    /// Asks who somebody is.
    func userInfo(_ token: String) async throws -> HTTPResponse {
        try await send("GET", "\(hosted)/oauth/userinfo", headers: ["Authorization": "Bearer \(token)"])
    }

    /// Deactivates everybody in the app.
    func deactivateEverybody() async throws {
        try await tamper("update users set state = 'deactivated', deactivated_at = now() where app_id = \(sqlID)")
    }
}

package import Curl
package import GatepostModel
import GatepostStore

extension TestServer {
    /// Makes an API key as an operator does, and returns it.
    ///
    /// - Parameters:
    ///   - role: What it may do.
    ///   - app: Where; nil for all apps.
    ///   - life: How long from now.
    /// - Returns: The key itself, which is nowhere else.
    /// - Throws: What Postgres says.
    package func apiKey(
        _ role: AdminRole, in app: AppID? = nil, life: Duration = .hours(1)
    ) async throws -> String {
        let (now, random) = (self.app.clock.now, self.app.random)
        let token = OneTimeToken.make(.apiKey, random: random)
        guard let scope = try await self.app.database.scope(of: .gatepost) else { throw TestAppMissing() }
        let key = NewAPIKey(
            id: self.app.newID(), token: token, name: "Test", grant: AdminGrant(role, in: app), madeBy: nil,
            createdAt: now, expiresAt: now + life)
        try await self.app.database.batch(in: scope) { $0.insertAPIKey(key) }
        return token.secret.revealed
    }

    /// Where the admin API of this app begins.
    package var adminAPI: String { "/v1/admin/apps/\(app.id)" }

    /// Sends a request to the admin API.
    ///
    /// - Parameters:
    ///   - method: In capitals.
    ///   - path: From the first slash on.
    ///   - key: An API key or an access token.
    ///   - json: The body; nil for none.
    ///   - idempotencyKey: The caller's name for a write.
    ///   - more: Other header fields.
    /// - Returns: The answer, whatever its status.
    /// - Throws: Why there is none.
    package func admin(
        _ method: String, _ path: String, key: String, json: String? = nil, idempotencyKey: String? = nil,
        headers more: KeyValuePairs<String, String> = [:]
    ) async throws -> HTTPResponse {
        var headers = [HTTPRequest.Header("Authorization", "Bearer \(key)")]
        if json != nil { headers.append(.init("Content-Type", "application/json")) }
        if let idempotencyKey { headers.append(.init("Idempotency-Key", idempotencyKey)) }
        headers += more.map { .init($0.key, $0.value) }
        return try await client.send(
            HTTPRequest(method, url + path, headers: headers, body: json.map { Array($0.utf8) }))
    }
}

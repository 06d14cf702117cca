import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Confidential clients: secrets")
struct ClientSecretTests {
    private func exchange(
        _ code: String, _ server: TestServer, authorization: String? = nil, id: String? = nil, secret: String? = nil,
        more: [(String, String)] = []
    ) async throws -> HTTPResponse {
        var fields = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", TestFlows.redirectURI),
            ("code_verifier", TestFlows.codeVerifier),
        ]
        if let id { fields.append(("client_id", id)) }
        if let secret { fields.append(("client_secret", secret)) }
        let body = (fields + more).map { "\($0)=\($1.replacing("+", with: "%2B"))" }.joined(separator: "&")
        var headers = [HTTPRequest.Header("Content-Type", "application/x-www-form-urlencoded")]
        if let authorization { headers.append(.init("Authorization", authorization)) }
        return try await server.send("POST", "\(server.hosted)/oauth/token", fields: headers, body: Array(body.utf8))
    }

    @Test func `a client proves itself by Basic or in the form, and gets its tokens`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let client = try await server.confidentialClient()
            let byBasic = try await exchange(
                try await server.code(for: client.id), server, authorization: client.basic)
            #expect(byBasic.status == 200, "\(byBasic.text)")
            let byForm = try await exchange(
                try await server.code(for: client.id), server, id: "\(client.id)", secret: client.secret)
            #expect(byForm.status == 200, "\(byForm.text)")
            // Encoded like a form, every character may be escaped (RFC 6749, section 2.3.1).
            let escaped = "\(client.id)".replacing("_", with: "%5F")
            let encoded = ConfidentialClient.basic(escaped, client.secret.replacing("_", with: "%5f"))
            let byEncoded = try await exchange(try await server.code(for: client.id), server, authorization: encoded)
            #expect(byEncoded.status == 200, "\(byEncoded.text)")
            let refreshed = try await server.issuer(
                "token", ["grant_type": "refresh_token", "refresh_token": try TestServer.Tokens(byEncoded).refresh],
                authorization: client.basic)
            #expect(refreshed.status == 200)
        }
    }

    @Test func `without its own secret, in one way, it gets nothing and the code stays good`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (client, other) = (try await server.confidentialClient(), try await server.confidentialClient())
            let code = try await server.code(for: client.id)
            let (id, basic) = ("\(client.id)", client.basic)
            let wrong = String(client.secret.dropLast()) + (client.secret.hasSuffix("A") ? "B" : "A")
            let refused: [(HTTPResponse, String)] = [
                (try await exchange(code, server, id: id), "invalid_client"),
                (try await exchange(code, server, id: id, secret: wrong), "invalid_client"),
                (try await exchange(code, server, id: id, secret: other.secret), "invalid_client"),
                (try await exchange(code, server, id: id, secret: "secret"), "invalid_client"),
                (
                    try await exchange(code, server, authorization: ConfidentialClient.basic(id, wrong)),
                    "invalid_client"
                ),
                (try await exchange(code, server, authorization: "Bearer \(client.secret)"), "invalid_client"),
                (try await exchange(code, server, authorization: "Basic \(client.secret)"), "invalid_client"),
                (
                    try await exchange(
                        code, server, id: "\(server.app.client)", secret: client.secret), "invalid_client"
                ),
                (try await exchange(code, server, authorization: basic, secret: client.secret), "invalid_request"),
                (
                    try await exchange(code, server, authorization: basic, more: [("client_assertion", "x.y.z")]),
                    "invalid_request"
                ),
                (try await exchange(code, server, authorization: basic, id: "\(other.id)"), "invalid_request"),
                (try await exchange(code, server, authorization: other.basic), "invalid_grant"),
            ]
            for (position, (answer, error)) in refused.enumerated() {
                #expect(answer.field("error") == error, "\(position): \(answer.text)")
                #expect(answer.status == (error == "invalid_client" ? 401 : 400), "\(position)")
                let challenge = answer.header("WWW-Authenticate")
                #expect((challenge == #"Basic realm="gatepost""#) == (error == "invalid_client"), "\(position)")
                #expect(answer.header("Cache-Control") == "no-store")
            }
            #expect(try await exchange(code, server, authorization: basic, id: id).status == 200)
            let events = try await server.events()
            #expect(events.count { $0 == "client.refused invalid_client" } == 5)
        }
    }

    @Test func `a secret in the address is refused, right as it may be`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let client = try await server.confidentialClient()
            let answer = try await server.post(
                "\(server.hosted)/oauth/token?client_id=\(client.id)&client_secret=\(client.secret)",
                form: ["grant_type": "refresh_token"])
            #expect(answer.field("error") == "invalid_request")
            #expect(!server.logs.all.joined().contains(client.secret))
        }
    }

    @Test func `two secrets live while one is replaced, a third ends the first, and revoking is at once`() async throws
    {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let client = try await server.confidentialClient()
            let key = try await server.apiKey(.admin)
            let path = "\(server.adminAPI)/clients/\(client.id)"
            func works(_ secret: String) async throws -> Bool {
                let code = try await server.code(for: client.id)
                return try await exchange(code, server, id: "\(client.id)", secret: secret).status == 200
            }
            func rotate(_ json: String = "{}") async throws -> String {
                let answer = try await server.admin("POST", "\(path)/rotate-secret", key: key, json: json)
                return try #require(answer.field("secret"), "\(answer.text)")
            }
            let second = try await rotate()
            #expect(try await works(client.secret))
            #expect(try await works(second))
            let third = try await rotate()
            #expect(try await !works(client.secret))
            #expect(try await works(second))
            #expect(try await works(third))
            // The replaced one ends by the clock, whether or not a job runs.
            server.app.clock.advance(by: Lifetimes.clientSecretOverlap)
            let laterKey = try await server.apiKey(.admin)
            #expect(try await !works(second))
            #expect(try await works(third))
            let shown = try await server.admin("GET", path, key: laterKey)
            #expect(shown.text.contains(third.prefix(12)) && !shown.text.contains(third), "\(shown.text)")
            let id = try #require(shown.text.firstMatch(of: /cls_[0-9a-z]{26}/)?.0)
            #expect(try await server.admin("DELETE", "\(path)/secrets/\(id)", key: laterKey).status == 204)
            #expect(try await !works(third))
            #expect(try await server.admin("DELETE", "\(path)/secrets/\(id)", key: laterKey).problem == .notFound)
        }
    }

    @Test func `an old secret can be ended at once with the rotation`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let client = try await server.confidentialClient()
            let answer = try await server.admin(
                "POST", "\(server.adminAPI)/clients/\(client.id)/rotate-secret", key: try await server.apiKey(.admin),
                json: #"{"old_secret_seconds": 0}"#)
            #expect(answer.status == 200, "\(answer.text)")
            let code = try await server.code(for: client.id)
            #expect(try await exchange(code, server, authorization: client.basic).field("error") == "invalid_client")
            let secret = try #require(answer.field("secret"))
            #expect(try await exchange(code, server, id: "\(client.id)", secret: secret).status == 200)
        }
    }

    @Test func `wrong secrets are counted, past the limit not even recorded, and the right one still works`()
        async throws
    {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let client = try await server.confidentialClient()
            let code = try await server.code(for: client.id)
            let other = try await server.confidentialClient()
            for _ in 0..<20 {
                let answer = try await exchange(code, server, id: "\(client.id)", secret: other.secret)
                #expect(answer.status == 401)
            }
            let events = try await server.events().count
            let limited = try await exchange(code, server, id: "\(client.id)", secret: other.secret)
            #expect(limited.problem == .rateLimited)
            #expect(limited.header("Retry-After") != nil)
            #expect(try await server.events().count == events)
            #expect(try await exchange(code, server, authorization: client.basic).status == 200)
        }
    }

    @Test func `no row, event or log shows a secret`() async throws {
        try await TestServer.running { server in
            let client = try await server.confidentialClient()
            let rows = try await server.texts("select s::text as text from client_secrets as s")
            let events = try await server.texts("select e::text as text from audit_events as e")
            #expect(rows.count == 1)
            for text in rows + events + server.logs.all { #expect(!text.contains(client.secret)) }
        }
    }
}

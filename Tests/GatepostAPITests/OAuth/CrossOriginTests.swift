import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Cross-origin requests")
struct CrossOriginTests {
    private static let origin = "https://spa.example"

    private func running(_ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.running { server in
            let changed = try await server.admin(
                "PATCH", "\(server.adminAPI)/clients/\(server.app.client)", key: try await server.apiKey(.admin),
                json: #"{"web_origins": ["\#(Self.origin)"]}"#)
            #expect(changed.status == 200, "\(changed.text)")
            try await body(server)
        }
    }

    private func ask(_ server: TestServer, _ path: String, from origin: String) async throws -> HTTPResponse {
        try await server.send(
            "OPTIONS", "\(server.hosted)/\(path)",
            headers: [
                "Origin": origin, "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type",
            ])
    }

    @Test func `a registered origin may read three endpoints, without credentials`() async throws {
        try await running { server in
            for endpoint in ["token", "userinfo", "revoke"] {
                let answer = try await ask(server, "oauth/\(endpoint)", from: Self.origin)
                #expect(answer.status == 204, "\(endpoint): \(answer.text)")
                #expect(answer.header("Access-Control-Allow-Origin") == Self.origin)
                #expect(answer.header("Access-Control-Allow-Methods") == "GET, POST")
                #expect(answer.header("Access-Control-Allow-Headers") == "Authorization, Content-Type")
                #expect(answer.header("Access-Control-Allow-Credentials") == nil)
                #expect(answer.header("Vary") == "Origin")
            }
        }
    }

    @Test func `tokens, and what was wrong, are read across origins`() async throws {
        try await running { server in
            try await server.verifiedUser()
            let form: KeyValuePairs = [
                "grant_type": "authorization_code", "code": try #require(try await server.signIn().field("code")),
                "redirect_uri": TestFlows.redirectURI, "code_verifier": TestFlows.codeVerifier,
                "client_id": "\(server.app.client)",
            ]
            let path = "\(server.hosted)/oauth/token"
            for status in [200, 400] {
                let answer = try await server.post(path, form: form, headers: ["Origin": Self.origin])
                #expect(answer.status == status && answer.header("Access-Control-Allow-Origin") == Self.origin)
            }
            let stranger = try await server.post(path, form: form, headers: ["Origin": "https://evil.example"])
            #expect(stranger.header("Access-Control-Allow-Origin") == nil && stranger.header("Vary") == "Origin")
        }
    }

    @Test func `any client's origin may ask, and an answer is for its own client's only`() async throws {
        try await running { server in
            try await server.verifiedUser()
            let (other, theirs) = (try await server.anotherClient(), "https://other.example")
            let changed = try await server.admin(
                "PATCH", "\(server.adminAPI)/clients/\(other)", key: try await server.apiKey(.admin),
                json: #"{"web_origins": ["\#(theirs)"]}"#)
            #expect(changed.status == 200)
            #expect(try await ask(server, "oauth/token", from: theirs).status == 204, "it names no client")
            let tokens = try await server.openIDTokens()
            let (access, refresh) = (
                try #require(tokens.field("access_token")), try #require(tokens.field("refresh_token"))
            )
            for (origin, isRead) in [(theirs, false), (Self.origin, true)] {
                let told = try await server.send(
                    "GET", "\(server.hosted)/oauth/userinfo",
                    headers: ["Authorization": "Bearer \(access)", "Origin": origin])
                #expect(told.status == 200 && (told.header("Access-Control-Allow-Origin") == origin) == isRead)
                for (endpoint, more) in [("token", "grant_type"), ("revoke", "token")] {
                    let form: KeyValuePairs = [
                        "client_id": "\(server.app.client)", more: endpoint == "token" ? "refresh_token" : "nothing",
                        "refresh_token": endpoint == "token" ? refresh : "nothing",
                    ]
                    let answer = try await server.post(
                        "\(server.hosted)/oauth/\(endpoint)", form: form, headers: ["Origin": origin])
                    #expect(answer.status == 200, "\(answer.text)")
                    #expect((answer.header("Access-Control-Allow-Origin") == origin) == isRead, "\(endpoint) \(origin)")
                    #expect(answer.header("Vary") == "Origin")
                }
            }
            // Whose request it is, nobody knows: an error is told to any origin of the app.
            let unknown = try await server.post(
                "\(server.hosted)/oauth/token", form: ["grant_type": "refresh_token"], headers: ["Origin": theirs])
            #expect(unknown.status == 400 && unknown.header("Access-Control-Allow-Origin") == theirs)
        }
    }

    static let strangers = [
        "https://evil.example", "https://spa.example.evil.example", "http://spa.example", "https://spa.example:8443",
        "https://SPA.example", "https://spa.example/", "null", "*", "",
    ]

    @Test(arguments: strangers) func `an origin that is not exactly registered is told nothing`(
        _ origin: String
    ) async throws {
        try await running { server in
            let answer = try await ask(server, "oauth/token", from: origin)
            #expect(answer.status == 405 && answer.header("Access-Control-Allow-Origin") == nil)
        }
    }

    @Test func `no other route, and no other app, knows the origin`() async throws {
        try await running { server in
            for path in ["oauth/introspect", "oauth/authorize", "sign-in", "jwks.json"] {
                let answer = try await ask(server, path, from: Self.origin)
                #expect(answer.status == 405 && answer.header("Access-Control-Allow-Origin") == nil, "\(path)")
            }
            let other = try await server.otherApp()
            let answer = try await server.send(
                "OPTIONS", "/apps/\(other.id)/oauth/token",
                headers: ["Origin": Self.origin, "Access-Control-Request-Method": "POST"])
            #expect(answer.status == 405 && answer.header("Access-Control-Allow-Origin") == nil)
        }
    }

    static let unusable = [
        "https://spa.example/", "https://spa.example/app", "http://spa.example", "https://*.example", "null",
        "https://Spa.example", "https://spa.example:443", "https://a@spa.example", "com.example.app:/", "",
    ]

    @Test func `what no browser sends is not registered`() async throws {
        try await TestServer.running { server in
            let key = try await server.apiKey(.admin)
            for origin in Self.unusable {
                let answer = try await server.admin(
                    "PATCH", "\(server.adminAPI)/clients/\(server.app.client)", key: key,
                    json: #"{"web_origins": ["\#(origin)"]}"#)
                #expect(answer.problem == .invalidRequest, "\(origin): \(answer.text)")
            }
        }
    }
}

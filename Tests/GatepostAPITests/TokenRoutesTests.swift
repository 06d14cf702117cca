import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Token endpoint: authorization codes")
struct TokenRoutesTests {
    /// A server with a verified user and a code that waits to be exchanged.
    private func withCode(_ body: (TestServer, String) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await body(server, try #require(try await server.signIn().field("code")))
        }
    }

    @Test func `a sign-in ends in a code, and the code in tokens`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let signIn = try await server.signIn()
            #expect(signIn.status == 200)
            #expect(signIn.field("expires_in") == "60")
            #expect(signIn.field("iss") == "\(TestFlows.baseURL)\(server.hosted)")

            let answer = try await server.exchange(try #require(signIn.field("code")))

            #expect(answer.status == 200)
            #expect(answer.field("token_type") == "Bearer")
            #expect(answer.field("expires_in") == "600")
            #expect(answer.field("refresh_token")?.hasPrefix("grt_") == true)
            #expect(answer.header("Cache-Control") == "no-store")
            #expect(try await server.me(try Tokens(answer).access).status == 200)
        }
    }

    private typealias Tokens = TestServer.Tokens

    @Test func `what does not match is refused, and the code stays good for its owner`() async throws {
        try await withCode { server, code in
            let other = try await server.anotherClient()
            let wrong = try await [
                server.exchange(code, client: other),
                server.exchange(code, redirectURI: TestFlows.redirectURI + "?"),
                server.exchange(code, verifier: String(repeating: "x", count: 43)),
                server.exchange(code, verifier: TestServer.challenge),
                server.exchange(code, verifier: "short"),
            ]
            for answer in wrong {
                #expect(answer.status == 400)
                #expect(answer.field("error") == "invalid_grant")
            }
            #expect(try await server.exchange(code).status == 200)
        }
    }

    @Test func `a code is refused after a minute although no job has run`() async throws {
        try await withCode { server, code in
            server.app.clock.advance(by: Lifetimes.authorizationCode)
            let answer = try await server.exchange(code)
            #expect(answer.field("error") == "invalid_grant")
        }
    }

    @Test func `a second use is refused and ends what the first one gave`() async throws {
        try await withCode { server, code in
            let tokens = try Tokens(try await server.exchange(code))

            #expect(try await server.exchange(code).field("error") == "invalid_grant")

            #expect(try await server.me(tokens.access).problem == .sessionEnded)
            #expect(try await server.refresh(tokens.refresh).field("error") == "invalid_grant")
            #expect(try await server.events().contains("token.refused code_reused"))
        }
    }

    @Test func `fifty racing exchanges give one session`() async throws {
        try await withCode { server, code in
            let statuses = try await race(50) { try await server.exchange(code).status }
            #expect(statuses.count { $0 == 200 } == 1)
            #expect(statuses.count { $0 == 400 } == 49)
            // One answer had tokens; the others were second uses, which end what it gave.
            let ends = try await server.texts("select end_reason as text from sessions")
            #expect(ends == ["code_reused"])
            let families = try await server.texts("select end_reason as text from token_families")
            #expect(families == ["code_reused"])
        }
    }

    @Test func `a code of one app is nothing in another`() async throws {
        try await withCode { server, code in
            let other = try await server.otherApp()
            let answer = try await server.post(
                "/apps/\(other.id)/oauth/token",
                form: [
                    "grant_type": "authorization_code", "code": code, "client_id": "\(server.app.client)",
                    "redirect_uri": TestFlows.redirectURI, "code_verifier": TestFlows.codeVerifier,
                ])
            #expect(answer.field("error") == "invalid_client")
            let theirs = try await server.post(
                "/apps/\(other.id)/oauth/token",
                form: [
                    "grant_type": "authorization_code", "code": code, "client_id": "\(other.client)",
                    "redirect_uri": TestFlows.redirectURI, "code_verifier": TestFlows.codeVerifier,
                ])
            #expect(theirs.field("error") == "invalid_grant")
            #expect(try await server.exchange(code).status == 200)
        }
    }

    /// A form that is wrong in itself, and the error that it must come to.
    static let malformed: [(KeyValuePairs<String, String>, String)] = [
        ([:], "invalid_request"),
        (["grant_type": "authorization_code"], "invalid_request"),
        (["grant_type": "password", "client_id": "CLIENT"], "unsupported_grant_type"),
        (["grant_type": "authorization_code", "client_id": "CLIENT", "code": "CODE"], "invalid_request"),
        (
            ["grant_type": "authorization_code", "client_id": "CLIENT", "code": "CODE", "redirect_uri": "URI"],
            "invalid_request"
        ),
        (["grant_type": "refresh_token", "client_id": "CLIENT", "refresh_token": ""], "invalid_request"),
        (["grant_type": "refresh_token", "client_id": "CLIENT", "refresh_token": "grt_x"], "invalid_grant"),
        (["grant_type": "refresh_token", "grant_type": "refresh_token", "client_id": "CLIENT"], "invalid_request"),
        (["grant_type": "refresh_token", "client_id": "nobody", "refresh_token": "x"], "invalid_client"),
        (["grant_type": "refresh_token", "client_id": "CLIENT", "client_secret": "x"], "invalid_client"),
    ]

    @Test(arguments: malformed.indices) func `errors have OAuth's form`(_ index: Int) async throws {
        try await TestServer.running { server in
            let (form, error) = Self.malformed[index]
            let body = form.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
                .replacing("CLIENT", with: "\(server.app.client)")
            let before = try await server.state()

            let answer = try await server.send(
                "POST", "\(server.hosted)/oauth/token",
                headers: ["Content-Type": "application/x-www-form-urlencoded"], body: Array(body.utf8))

            #expect(answer.field("error") == error)
            #expect(answer.status == (error == "invalid_client" ? 401 : 400))
            #expect((answer.header("WWW-Authenticate") != nil) == (error == "invalid_client"))
            #expect(answer.header("Cache-Control") == "no-store")
            let description = try #require(answer.field("error_description"))
            #expect(description.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C })
            #expect(try await server.state() == before)
            #expect(try await server.events().last?.hasPrefix("request.refused ") == true)
        }
    }

    @Test func `credentials in the address, in a header or as JSON are refused`() async throws {
        try await withCode { server, code in
            let path = "\(server.hosted)/oauth/token"
            let query = try await server.post("\(path)?code=\(code)", form: ["grant_type": "authorization_code"])
            #expect(query.field("error") == "invalid_request")
            let basic = try await server.post(
                path, form: ["grant_type": "authorization_code"], headers: ["Authorization": "Basic Og=="])
            #expect(basic.field("error") == "invalid_client")
            #expect(try await server.post(path, ["code": code]).field("error") == "invalid_request")
            #expect(try await server.send("GET", path).problem == .methodNotAllowed)
        }
    }
}

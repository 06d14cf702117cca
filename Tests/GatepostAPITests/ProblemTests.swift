import Curl
import GatepostModel
import GatepostStore
import Passwords
import GatepostOutbox
import TestSupport
import Testing

/// Every problem code, provoked through the front door.
@Suite("Problems")
struct ProblemTests {
    /// What only a page reports: a link that no longer works, a sign-in of another browser, a form of another site; see
    /// `LinkPageTests`, `SignInPageTests` and `OwnFormTests`.
    static let documented = ProblemCode.allCases.filter {
        ![.invalidLink, .invalidAuthorizationRequest, .foreignForm].contains($0) && !ofProviders.contains($0)
    }
    /// What only the pages of a sign-in with a provider report; see `ProviderPagesTests` and `ProviderStateTests`.
    static let ofProviders: Set<ProblemCode> = [
        .unknownProvider, .providerDisabled, .invalidProviderAnswer, .providerUnavailable, .signUpNotAllowed,
    ]

    @Test(arguments: documented) func `every code can be met, in the form of RFC 9457`(_ code: ProblemCode) async throws
    {
        switch code {
        case .busy: try await check(code, hasher: PasswordHasher(threads: 1, queueMax: 0))
        case .unavailable: try await TestDatabase.withOwn { _ in try await check(code, deadline: .seconds(1)) }
        default: try await check(code)
        }
    }

    private func check(
        _ code: ProblemCode, hasher: PasswordHasher = TestFlows.hasher, deadline: Duration = .seconds(10)
    ) async throws {
        try await TestServer.running(hasher: hasher, deadline: deadline) { server in
            let answer = try await Self.provoke(code, server)

            #expect(answer.status == code.status, "\(answer.text)")
            #expect(answer.header("Content-Type") == "application/problem+json")
            #expect(answer.field("type") == "urn:gatepost:problem:\(code.rawValue)")
            #expect(answer.field("title") == code.title)
            #expect(answer.field("status") == "\(code.status)")
            #expect(answer.field("code") == code.rawValue)
            #expect(answer.field("instance")?.hasPrefix("urn:gatepost:request:") == true)
            #expect(answer.header("Cache-Control") == "no-store")
            let waits: Set<ProblemCode> = [.busy, .unavailable, .rateLimited]
            #expect((answer.header("Retry-After").flatMap { Int($0) } ?? 0 > 0) == waits.contains(code))
        }
    }

    /// Does what comes to this problem.
    private static func provoke(_ code: ProblemCode, _ server: TestServer) async throws -> HTTPResponse {
        switch code {
        case .malformedJSON, .invalidRequest, .unknownField, .bodyTooLarge, .unsupportedMediaType, .notFound,
            .methodNotAllowed, .appNotFound, .appSuspended:
            try await provokeByRequest(code, server)
        case .invalidEmailAddress, .weakPassword, .invalidRedirectURI, .unknownClient, .invalidCodeChallenge,
            .invalidCredentials, .userDeactivated:
            try await provokeBySignIn(code, server)
        case .invalidAccessToken, .sessionEnded, .invalidFlow, .invalidCode, .codeAttemptsExhausted, .invalidLink,
            .invalidAuthorizationRequest, .foreignForm, .unknownProvider, .providerDisabled, .invalidProviderAnswer,
            .providerUnavailable, .signUpNotAllowed:
            try await provokeByProof(code, server)
        case .invalidAPIKey, .permissionDenied, .invalidCursor, .invalidIdempotencyKey, .idempotencyKeyReused,
            .conflict:
            try await provokeAsAdmin(code, server)
        case .invalidWebhookURL, .tooManyWebhookEndpoints:
            try await provokeByWebhook(code, server)
        case .rangeNotSatisfiable:
            try await provokeByExport(server)
        case .invalidIdentityProvider:
            try await server.admin(
                "POST", "\(server.adminAPI)/identity-providers", key: try await server.apiKey(.admin),
                json: #"{"name": "A", "kind": "google", "client_id": "c", "secret": "s"}"#)
        case .recentSignInRequired:
            try await provokeWithoutPassword(server)
        case .rateLimited, .busy, .unavailable, .internalError:
            try await provokeByCircumstance(code, server)
        }
    }

    /// A user without a password, ten minutes and more after signing in.
    private static func provokeWithoutPassword(_ server: TestServer) async throws -> HTTPResponse {
        try await server.verifiedUser()
        let code = try #require(try await server.signIn().field("code"))
        server.app.clock.advance(by: .seconds(50))
        let tokens = try TestServer.Tokens(try await server.exchange(code))
        server.app.clock.advance(by: .seconds(555))
        try await server.tamper("delete from credentials where app_id = \(server.sqlID)")
        return try await server.send(
            "POST", "\(server.api)/me/email-changes", as: tokens.access, json: #"{"email":"new@example.com"}"#)
    }

    private static func provokeByRequest(_ code: ProblemCode, _ server: TestServer) async throws -> HTTPResponse {
        let path = "\(server.api)/sign-ups"
        switch code {
        case .malformedJSON: return try await server.post(path, json: "{")
        case .unknownField: return try await server.post(path, ["admin": "true"])
        case .bodyTooLarge: return try await server.post(path, json: String(repeating: " ", count: 70_000))
        case .unsupportedMediaType: return try await server.post(path, form: ["email": "ada@example.com"])
        case .notFound: return try await server.send("GET", "/v1/nothing")
        case .methodNotAllowed: return try await server.send("PUT", path)
        case .appNotFound: return try await server.send("GET", "/v1/apps/app_nobody/me")
        case .appSuspended:
            try await server.tamper(
                "update apps set state = 'suspended', suspended_at = now() where id = \(server.sqlID)")
            return try await server.post(path, ["email": "ada@example.com", "password": TestServer.password])
        default: return try await server.post(path, ["email": "ada@example.com"])
        }
    }

    private static func provokeBySignIn(_ code: ProblemCode, _ server: TestServer) async throws -> HTTPResponse {
        var fields = server.signInFields()
        switch code {
        case .invalidEmailAddress: fields["email"] = "nobody"
        case .weakPassword:
            return try await server.post("\(server.api)/sign-ups", ["email": "a@b.example", "password": "x"])
        case .invalidRedirectURI: fields["redirect_uri"] = TestFlows.redirectURI + "/"
        case .unknownClient:
            fields["client_id"] = "\(ClientID.make(at: server.app.clock.now, random: server.app.random))"
        case .invalidCodeChallenge: fields["code_challenge_method"] = "plain"
        case .userDeactivated:
            try await server.verifiedUser()
            try await server.tamper(
                "update users set state = 'deactivated', deactivated_at = now() where app_id = \(server.sqlID)")
        default: break
        }
        return try await server.post("\(server.api)/sign-ins", fields)
    }

    private static func provokeByProof(_ code: ProblemCode, _ server: TestServer) async throws -> HTTPResponse {
        switch code {
        case .invalidAccessToken: return try await server.me("x.y.z")
        case .sessionEnded:
            try await server.verifiedUser()
            let tokens = try await server.session()
            server.app.clock.advance(by: .seconds(1))
            try await server.tamper("update users set auth_epoch = 9 where app_id = \(server.sqlID)")
            return try await server.me(tokens.access)
        case .invalidCode: return try await server.verify(try await server.begin(), code: "1")
        case .codeAttemptsExhausted:
            let begun = try await server.begin()
            for _ in 0..<FlowSecrets.codeAttemptsMax { _ = try await server.verify(begun, code: "1") }
            return try await server.verify(begun)
        default:
            let begun = try await server.begin()
            _ = try await server.verify(begun)
            return try await server.verify(begun)
        }
    }

    private static func provokeAsAdmin(_ code: ProblemCode, _ server: TestServer) async throws -> HTTPResponse {
        let key = try await server.apiKey(.auditor)
        switch code {
        case .invalidAPIKey: return try await server.admin("GET", "/v1/admin/apps", key: key + "x")
        case .permissionDenied: return try await server.admin("POST", "/v1/admin/apps", key: key, json: "{}")
        case .conflict:
            // A key that is to make another.
            return try await server.admin(
                "POST", "/v1/admin/api-keys", key: try await server.apiKey(.admin),
                json: #"{"name": "Long", "role": "auditor", "expires_in_days": 2}"#)
        case .invalidCursor: return try await server.admin("GET", "/v1/admin/apps?cursor=x", key: key)
        default:
            let admin = try await server.apiKey(.admin)
            let name = code == .invalidIdempotencyKey ? "ä" : "one"
            _ = try await server.admin(
                "POST", "/v1/admin/apps", key: admin, json: #"{"name": "One"}"#, idempotencyKey: name)
            return try await server.admin(
                "POST", "/v1/admin/apps", key: admin, json: #"{"name": "Two"}"#, idempotencyKey: name)
        }
    }

    private static func provokeByWebhook(_ code: ProblemCode, _ server: TestServer) async throws -> HTTPResponse {
        let key = try await server.apiKey(.admin)
        if code == .tooManyWebhookEndpoints {
            for _ in 0..<WebhookEndpointRecord.countMax { _ = try await server.app.addEndpoint() }
        }
        let host = code == .invalidWebhookURL ? "127.0.0.1" : "hooks.example.com"
        return try await server.admin(
            "POST", "\(server.adminAPI)/webhook-endpoints", key: key,
            json: #"{"url": "https://\#(host)/", "event_types": ["user.created"]}"#)
    }

    private static func provokeByExport(_ server: TestServer) async throws -> HTTPResponse {
        let key = try await server.apiKey(.auditor, life: .days(30))
        let export = try await server.beginExport(#"{"format": "csv"}"#, key: key)
        try await MailSink.running { sink in
            for _ in 0..<10_000 {
                try await server.app.drainOutbox(to: sink)
                if try await server.fetch(export, key: key).status == 200 { return }
                server.app.clock.advance(by: .milliseconds(100))
            }
        }
        return try await server.fetch(export, key: key, headers: ["Range": "bytes=1000000-"])
    }

    private static func provokeByCircumstance(_ code: ProblemCode, _ server: TestServer) async throws -> HTTPResponse {
        let fields = ["email": "ada@example.com", "password": TestServer.password]
        switch code {
        case .rateLimited:
            for _ in 0..<5 { _ = try await server.begin() }
            return try await server.post("\(server.api)/sign-ups", fields)
        case .unavailable:
            var answer: HTTPResponse?
            try await TestDatabase.current.whileDown { answer = try await server.send("GET", "/health/ready") }
            return try #require(answer)
        case .internalError:
            try await server.verifiedUser()
            let sent = try #require(try await server.signIn().field("code"))
            try await server.tamper("delete from signing_keys where app_id = \(server.sqlID)")
            return try await server.exchange(sent)
        default:
            return try await server.post("\(server.api)/sign-ups", fields)
        }
    }

    @Test func `what went wrong inside is in the log under the request's id and nowhere else`() async throws {
        try await TestServer.running { server in
            let answer = try await Self.provoke(.internalError, server)

            let id = try #require(answer.field("instance")?.dropFirst("urn:gatepost:request:".count))
            #expect(answer.field("detail") == nil)
            #expect(!answer.text.contains("SigningKey"))
            #expect(server.logs.all.contains { $0.hasPrefix("error request failed") && $0.contains(id) })
        }
    }

    @Test func `a method that a path does not take is answered with those that it does`() async throws {
        try await TestServer.running { server in
            let signUps = try await server.send("GET", "\(server.api)/sign-ups")
            #expect(signUps.problem == .methodNotAllowed)
            #expect(signUps.header("Allow") == "POST")
            let me = try await server.send("DELETE", "\(server.api)/me")
            #expect(me.header("Allow") == "GET, HEAD")
        }
    }

    @Test func `a missing token is asked for and a bad one is called bad`() async throws {
        try await TestServer.running { server in
            let missing = try await server.send("GET", "\(server.api)/me")
            #expect(missing.header("WWW-Authenticate") == #"Bearer realm="gatepost""#)
            let bad = try await server.me("x.y.z")
            #expect(bad.header("WWW-Authenticate") == #"Bearer realm="gatepost", error="invalid_token""#)
        }
    }
}

import Curl
import GatepostDev
import GatepostModel
import TestSupport
import Testing

@Suite("Sign-in by mail over HTTP")
struct EmailSignInRoutesTests {
    @Test func `the code of the mail gives the one-time code that the client exchanges`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let mailed = try server.mailed(try await server.askEmailSignIn(), .emailSignIn)

            let answer = try await server.type(mailed, at: "\(server.api)/sign-ins/email/verify")

            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.field("expires_in") == "60")
            #expect(answer.field("iss") == "\(TestFlows.baseURL)\(server.hosted)")
            #expect(answer.header("Cache-Control") == "no-store")
            // The device is known from here on, as after a password.
            let device = try #require(answer.field("device_token"))
            let cookie = "__Host-gatepost-device-\(server.app.id)=\(device);"
            #expect(answer.header("Set-Cookie")?.hasPrefix(cookie) == true)
            let address = try #require(EmailAddress("ada@example.com"))
            let known = DeviceToken(
                presented: Secret(device), for: address, in: server.app.id, at: server.app.clock.now,
                keys: server.app.keys)
            #expect(known != nil)
            let tokens = try TestServer.Tokens(try await server.exchange(try #require(answer.field("code"))))
            #expect(try await server.me(tokens.access).field("user.email") == "ada@example.com")
            let again = try await server.type(mailed, at: "\(server.api)/sign-ins/email/verify")
            #expect(again.problem == .invalidFlow)
        }
    }

    @Test func `a known and an unknown address get the same answer at every step`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            var shapes: [String] = []
            for email in ["ada@example.com", "eve@example.com"] {
                let asked = try await server.askEmailSignIn(email)
                let wrong = try await server.type(
                    try server.mailed(asked, .emailSignIn), code: "00000000",
                    at: "\(server.api)/sign-ins/email/verify")
                let problem = String(describing: wrong.problem)
                let names = asked.headers.map(\.name) + wrong.headers.map(\.name)
                shapes.append("\(asked.status) \(asked.text.utf8.count) \(wrong.status) \(problem) \(names)")
            }
            #expect(Set(shapes).count == 1, "\(shapes)")
            #expect(
                try await server.texts(
                    "select count(*)::text as text from outbox where kind = 'mail.email_sign_in'") == ["1"])
        }
    }

    /// GHSA-3529-5m8x-rpv3 and its like: a header of the request wrote the link in the mail.
    @Test(arguments: ["Host", "X-Forwarded-Host", "Forwarded", "X-Forwarded-Proto", "X-Original-URL"])
    func `abuse case 16: a forged host changes no link`(_ name: String) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let value = name == "Forwarded" ? "host=evil.example" : "evil.example"
            _ = try await server.askEmailSignIn(headers: [name: value])
            let reset = try await server.post(
                "\(server.api)/password-resets", json: #"{"email":"ada@example.com"}"#, headers: [name: value])
            #expect(reset.status == 202)
            #expect(try await !server.state().joined().contains("evil.example"))

            try await MailSink.running { sink in
                try await server.app.drainOutbox(to: sink)
                let mails = await sink.mails()
                // That of the sign-up has no purpose any more.
                #expect(mails.count == 2)
                #expect(mails.allSatisfy { !$0.text.contains("evil.example") })
            }
        }
    }

    @Test func `the language comes from the body, else from Accept-Language, and nonsense is refused or passed over`()
        async throws
    {
        try await TestServer.running { server in
            let wishes: [(headers: KeyValuePairs<String, String>, locale: String?)] = [
                (["Accept-Language": "de-CH, en;q=0.5"], "de-CH"), (["Accept-Language": "*"], nil),
                (["Accept-Language": "<script>"], nil), ([:], nil),
            ]
            for (number, wish) in wishes.enumerated() {
                let asked = try await server.askEmailSignIn("ada\(number)@example.com", headers: wish.headers)
                let mailed = try server.mailed(asked, .emailSignIn)
                #expect(try await locale(of: mailed, server) == wish.locale ?? "none")
            }
            let named = try await server.post(
                "\(server.api)/password-resets", json: #"{"email":"ada@example.com","locale":"pt-BR"}"#,
                headers: ["Accept-Language": "de"])
            #expect(try await locale(of: try server.mailed(named, .passwordReset), server) == "pt-BR")
            let nonsense = try await server.post(
                "\(server.api)/password-resets", ["email": "ada@example.com", "locale": "<b>"])
            #expect(nonsense.problem == .invalidRequest)
        }
    }

    private func locale(of mailed: TestServer.Mailed, _ server: TestServer) async throws -> String? {
        let hex = mailed.flow.uuid.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return try await server.texts("select coalesce(locale, 'none') as text from flows where id = '\(hex)'").first
    }

    @Test func `the built-in app has no sign-in by mail`() async throws {
        try await TestServer.running { server in
            let fields = server.signInFields().filter { $0.key != "password" }
            let answer = try await server.post("/v1/apps/\(AppID.gatepost)/sign-ins/email", fields)
            #expect(answer.problem == .unknownClient || answer.problem == .appNotFound)
        }
    }
}

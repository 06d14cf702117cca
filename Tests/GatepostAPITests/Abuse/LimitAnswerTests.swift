import Curl
import GatepostAPI
import GatepostFlows
import GatepostModel
import TestSupport
import Testing

/// What a caller is told of the limits, and that all nodes have the same ones.
@Suite("Limits over HTTP", .timeLimit(.minutes(3)))
struct LimitAnswerTests {
    /// Signs in as if from an address, through the proxy that the servers trust.
    private func signIn(
        _ server: TestServer, from address: String, password: String = "nobody has chosen this one",
        device: String? = nil, cookie: String? = nil
    ) async throws -> HTTPResponse {
        var fields = server.signInFields(password: password)
        fields["device_token"] = device
        let json = fields.map { "\"\($0.key)\": \"\($0.value)\"" }.joined(separator: ", ")
        var headers = [
            HTTPRequest.Header("Content-Type", "application/json"), .init("X-Forwarded-For", address),
        ]
        if let cookie { headers.append(.init("Cookie", cookie)) }
        return try await server.send("POST", "\(server.api)/sign-ins", fields: headers, body: Array("{\(json)}".utf8))
    }

    /// Two servers on one database that trust the test as their proxy.
    private func twoNodes(
        settings: AppSettings = AppSettings(), _ body: (TestServer, TestServer) async throws -> Void
    ) async throws {
        let flows = try await TestFlows.make(settings: settings)
        try await TestServer.running(trustedProxies: ["127.0.0.1"], flows: flows) { first in
            try await TestServer.running(trustedProxies: ["127.0.0.1"], flows: flows.restarted()) { second in
                try await body(first, second)
            }
        }
    }

    @Test func `a refused try says when and by which limit, a counted one what is left`() async throws {
        try await twoNodes { server, _ in
            let wrong = try await signIn(server, from: "198.51.100.7")
            #expect(wrong.status == 401)
            #expect(wrong.header("RateLimit-Policy") == "\"proof\";q=20;w=900")
            #expect(wrong.header("RateLimit") == "\"proof\";r=19;t=900")
            #expect(wrong.header("Retry-After") == nil)
            for _ in 0..<19 { _ = try await signIn(server, from: "198.51.100.7") }
            server.app.clock.advance(by: .minutes(5))

            let refused = try await signIn(server, from: "198.51.100.7")

            #expect(refused.status == 429 && refused.problem == .rateLimited)
            #expect(refused.header("Retry-After") == "600")
            #expect(refused.header("RateLimit") == "\"proof\";r=0;t=600")
            #expect(refused.header("RateLimit-Policy") == "\"proof\";q=20;w=900")
            #expect(refused.header("Content-Type") == "application/problem+json")
            #expect(refused.header("Cache-Control") == "no-store")
        }
    }

    @Test func `two nodes, one attacker: the limits hold across both, and the person gets in from elsewhere`()
        async throws
    {
        try await twoNodes { first, second in
            try await first.verifiedUser()
            let answers = try await race(60) { [nodes = [first, second]] in
                try await signIn(nodes[Int.random(in: 0...1)], from: "203.0.113.66").status
            }
            #expect(answers.count { $0 == 401 } == 20)
            #expect(answers.count { $0 == 429 } == 40)

            for node in [first, second] {
                let stolen = try await signIn(node, from: "203.0.113.66", password: TestServer.password)
                #expect(stolen.status == 429, "the right password too, for the attacker")
                let owner = try await signIn(node, from: "198.51.100.7", password: TestServer.password)
                #expect(owner.status == 200)
            }
        }
    }

    @Test func `two nodes, many attackers: the known device gets in, by cookie or by token`() async throws {
        try await twoNodes { first, second in
            try await first.verifiedUser()
            let known = try await signIn(first, from: "198.51.100.7", password: TestServer.password)
            let token = try #require(known.field("device_token"))
            let cookie = try #require(known.header("Set-Cookie"))
            #expect(cookie.hasPrefix("__Host-gatepost-device-\(first.app.id)=\(token);"))
            for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=15552000"] {
                #expect(cookie.contains(attribute))
            }
            for number in 0..<55 { _ = try await signIn([first, second][number % 2], from: "203.0.113.\(number)") }

            let right = TestServer.password
            #expect(try await signIn(second, from: "192.0.2.1", password: right).status == 429)
            #expect(try await signIn(second, from: "192.0.2.1", password: right, device: token).status == 200)
            let pair = String(cookie.prefix { $0 != ";" })
            #expect(try await signIn(first, from: "192.0.2.1", password: right, cookie: pair).status == 200)
            #expect(try await signIn(first, from: "192.0.2.1", password: right, device: "gdv_forged").status == 429)
        }
    }

    @Test func `forged forwarding headers change no limit`() async throws {
        try await TestServer.running { server in
            let statuses = try await (0..<25).asyncMap { number in
                try await signIn(server, from: "203.0.113.\(number)").status
            }
            #expect(statuses == Array(repeating: 401, count: 20) + Array(repeating: 429, count: 5))
        }
        try await twoNodes { server, _ in
            let statuses = try await (0..<25).asyncMap { number in
                try await signIn(server, from: "203.0.113.\(number), 198.51.100.7").status
            }
            #expect(statuses == Array(repeating: 401, count: 20) + Array(repeating: 429, count: 5))
        }
    }
}

extension Sequence {
    /// One after the other.
    fileprivate func asyncMap<Output>(_ transform: (Element) async throws -> Output) async rethrows -> [Output] {
        var outputs: [Output] = []
        for element in self { outputs.append(try await transform(element)) }
        return outputs
    }
}

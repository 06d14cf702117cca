import Curl
import GatepostModel
import TestSupport
import Testing

/// What a decoder must not let through, and what the caller is told of it.
@Suite("Bad input")
struct BadInputTests {
    /// A body of the sign-up route, and the problem that it must come to.
    struct Case {
        let name: String
        let body: String
        let problem: ProblemCode
        var detail: String?
    }

    static let cases: [Case] = [
        Case(name: "nothing", body: "", problem: .malformedJSON),
        Case(name: "half an object", body: #"{"email":"#, problem: .malformedJSON),
        Case(name: "a comma too many", body: #"{"email":"ada@example.com","password":"x",}"#, problem: .malformedJSON),
        Case(name: "a comma too many in a list", body: #"{"email":["a", ]}"#, problem: .malformedJSON),
        Case(name: "no comma", body: #"{"email":"ada@example.com" "password":"x"}"#, problem: .malformedJSON),
        Case(name: "single quotes", body: "{'email':'ada@example.com'}", problem: .malformedJSON),
        Case(name: "a name without quotes", body: #"{email:"ada@example.com"}"#, problem: .malformedJSON),
        Case(name: "two documents", body: "{}{}", problem: .malformedJSON),
        Case(name: "a comment", body: "{/* */}", problem: .malformedJSON),
        Case(name: "a line break in a text", body: "{\"email\":\"a\nb\"}", problem: .malformedJSON),
        Case(name: "half a surrogate pair", body: #"{"email":"\ud800","password":"x"}"#, problem: .malformedJSON),
        Case(name: "a NUL between the fields", body: "{\u{0}}", problem: .malformedJSON),
        Case(name: "a list", body: "[]", problem: .invalidRequest),
        Case(name: "a text", body: #""email""#, problem: .invalidRequest),
        Case(
            name: "no password", body: #"{"email":"ada@example.com"}"#, problem: .invalidRequest,
            detail: "password is missing."),
        Case(
            name: "a number for a text", body: #"{"email":"ada@example.com","password":7}"#, problem: .invalidRequest,
            detail: "password has the wrong type."),
        Case(
            name: "null for a text", body: #"{"email":null,"password":"x"}"#, problem: .invalidRequest,
            detail: "email has the wrong type."),
        Case(
            name: "an unknown field", body: #"{"email":"ada@example.com","password":"x","user_id":"usr_1"}"#,
            problem: .unknownField, detail: "user_id is not known here."),
        Case(
            name: "an unknown field with a name for a log", body: #"{"a\nb":1}"#, problem: .unknownField,
            detail: "Names are written without escapes."),
        Case(
            name: "a field twice", body: #"{"email":"ada@example.com","email":"eve@example.com","password":"x"}"#,
            problem: .malformedJSON, detail: "A field comes twice."),
        Case(
            name: "a field twice, once escaped",
            body: #"{"email":"ada@example.com","\u0065mail":"eve@example.com","password":"x"}"#,
            problem: .unknownField),
        Case(
            name: "17 levels", body: String(repeating: "[", count: 17) + String(repeating: "]", count: 17),
            problem: .malformedJSON, detail: "The body nests more than 16 levels deep."),
        Case(name: "60,000 levels", body: String(repeating: "[", count: 60_000), problem: .malformedJSON),
        Case(
            name: "an escaped NUL", body: #"{"email":"ada@example.com","password":"a\u0000b"}"#,
            problem: .invalidRequest),
        Case(
            name: "more than 64 KiB", body: "{\"email\":\"" + String(repeating: "a", count: 65536) + "\"}",
            problem: .bodyTooLarge),
        Case(
            name: "a weak password", body: #"{"email":"ada@example.com","password":"password123456789"}"#,
            problem: .weakPassword),
        Case(
            name: "a short password", body: #"{"email":"ada@example.com","password":"x1y2z3"}"#,
            problem: .weakPassword),
    ]

    @Test func `a bad body is refused by name and leaves only an audit event`() async throws {
        try await TestServer.running { server in
            let before = try await server.state()
            var events = try await server.events()
            for bad in Self.cases {
                let answer = try await server.post("\(server.api)/sign-ups", json: bad.body)

                #expect(answer.problem == bad.problem, "\(bad.name): \(answer.text)")
                #expect(answer.status == bad.problem.status, "\(bad.name)")
                if let detail = bad.detail { #expect(answer.field("detail") == detail, "\(bad.name)") }
                #expect(try await server.state() == before, "\(bad.name)")
                let kind = bad.problem == .weakPassword ? "sign_up.refused" : "request.refused"
                events.append("\(kind) \(bad.problem.rawValue)")
                #expect(try await server.events() == events, "\(bad.name)")
            }
        }
    }

    static let addresses: [String] = [
        "", "ada", "ada@", "@example.com", "ada@localhost", "ada @example.com", "ada@exam ple.com", "ada@@example.com",
        #"ada@example.com\r\nRCPT TO:<eve@example.com>"#, #"ada\r\n@example.com"#, #"ada@example.com\u0000"#,
        "<ada@example.com>", "ada@example.com,eve@example.com", #"\"ada\"@example.com"#, "ada..b@example.com",
        "ada@-example.com", "ada@xn--a.com", "ada@\u{2F3E}\u{FF0E}..com", "ada@127.0.0.1", "ädä@example.com",
        String(repeating: "a", count: 65) + "@example.com",
        "ada@" + String(repeating: "abcdefghi.", count: 25) + "com",
    ]

    @Test func `an address that no mail could go to is refused`() async throws {
        try await TestServer.running { server in
            let before = try await server.state()
            for address in Self.addresses {
                let answer = try await server.post(
                    "\(server.api)/sign-ups", json: #"{"email":"\#(address)","password":"\#(TestServer.password)"}"#)

                let expected: ProblemCode = address.contains("u0000") ? .invalidRequest : .invalidEmailAddress
                #expect(answer.problem == expected, "\(address): \(answer.text)")
                #expect(try await server.state() == before, "\(address)")
            }
        }
    }

    @Test func `a body of another type or encoding is refused`() async throws {
        try await TestServer.running { server in
            let path = "\(server.api)/sign-ups"
            let body = Array(#"{"email":"ada@example.com","password":"\#(TestServer.password)"}"#.utf8)

            for type in ["text/plain", "application/x-www-form-urlencoded", "application/json-seq", "json"] {
                let answer = try await server.send("POST", path, headers: ["Content-Type": type], body: body)
                #expect(answer.problem == .unsupportedMediaType)
            }
            let packed = try await server.send(
                "POST", path, headers: ["Content-Type": "application/json", "Content-Encoding": "gzip"], body: body)
            #expect(packed.problem == .unsupportedMediaType)
            let accepted = try await server.send(
                "POST", path, headers: ["Content-Type": "Application/JSON ; charset=utf-8"], body: body)
            #expect(accepted.status == 202)
        }
    }

    @Test func `a body that is not UTF-8 is refused`() async throws {
        try await TestServer.running { server in
            let body = Array(#"{"email":"ada@example.com","password":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)

            let answer = try await server.send(
                "POST", "\(server.api)/sign-ups", headers: ["Content-Type": "application/json"], body: body)

            #expect(answer.problem == .malformedJSON)
        }
    }

    @Test func `an unknown app is not found and records nothing`() async throws {
        try await TestServer.running { server in
            let events = try await server.events()
            for id in ["\(AppID.make(at: server.app.clock.now, random: server.app.random))", "app_x", "x", "%00"] {
                let answer = try await server.post("/v1/apps/\(id)/sign-ups", json: "{}")
                #expect(answer.problem == .appNotFound)
            }
            #expect(try await server.events() == events)
        }
    }
}

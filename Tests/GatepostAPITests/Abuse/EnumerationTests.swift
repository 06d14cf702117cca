import Curl
import GatepostFlows
import GatepostModel
import TestSupport
import Testing

/// Nobody learns from an answer who has an account: known and unknown addresses in turns, on each route with one.
///
/// The same in content here: status, fields and body. The time is a row of `make bench`.
@Suite("Enumeration", .timeLimit(.minutes(10)))
struct EnumerationTests {
    private static let pairs = 300

    /// A route that takes an address, and how it is asked.
    private struct Route {
        let name: String
        let ask: (TestServer, TestBrowser, _ email: String) async throws -> [HTTPResponse]
    }

    /// What an answer looks like: its status, the names of its fields with the shape of their values, its body's too.
    private func shape(_ answer: HTTPResponse, of email: String) -> String {
        // A cookie's attributes come in any order.
        let fields = answer.headers.map { field in
            let parts = field.value.split(separator: ";").map { shape(String($0)) }.sorted()
            return "\(field.name.lowercased()): \(parts.joined(separator: ";"))"
        }.sorted()
        let body = answer.text.replacing(email, with: "somebody")
        return "\(answer.status)\n\(fields.joined(separator: "\n"))\n\(shape(body))"
    }

    /// Letters and digits in a row become one, so that ids, tokens and dates are alike and words are not.
    private func shape(_ text: String) -> String {
        text.replacing(/[A-Za-z0-9_-]{16,}/, with: "x").replacing(/[0-9]+/, with: "0")
    }

    private func compare(pairs: Int = EnumerationTests.pairs, _ routes: [Route]) async throws {
        var settings = AppSettings()
        (settings.clientMailsPerHour, settings.clientTriesPerQuarterHour) = (1_000_000, 1_000_000)
        let flows = try await TestFlows.make(settings: settings)
        try await TestServer.running(flows: flows) { server in
            for pair in 0..<pairs { try await flows.verifiedUser(#require(EmailAddress("known\(pair)@example.com"))) }
            for (number, route) in routes.enumerated() {
                // Each route has the limits of an hour of its own, and addresses that no other has made known.
                server.app.clock.advance(by: .hours(1))
                var shapes: [Bool: Set<String>] = [:]
                for pair in 0..<pairs {
                    let (known, unknown) = ("known\(pair)@example.com", "other\(pair).\(number)@example.com")
                    let browser = TestBrowser(server)
                    for isKnown in pair.isMultiple(of: 2) ? [true, false] : [false, true] {
                        let email = isKnown ? known : unknown
                        let answers = try await route.ask(server, browser, email)
                        shapes[isKnown, default: []].insert(
                            answers.map { shape($0, of: email) }.joined(separator: "\n\n"))
                    }
                }
                #expect(shapes[true]?.count == 1, "\(route.name): \(shapes)")
                #expect(shapes[true] == shapes[false], "\(route.name)")
            }
        }
    }

    /// What whoever began a flow goes on with.
    private static func held(_ begun: HTTPResponse) throws -> [String: String] {
        ["flow": try #require(begun.field("flow")), "flow_token": try #require(begun.field("flow_token"))]
    }

    private static let wrong = "nobody has chosen this one"
    private static let client = ["client_id", "redirect_uri", "code_challenge", "code_challenge_method"]

    @Test func `the JSON routes: sign-ups, sign-ins, sign-ins by mail and resets`() async throws {
        try await compare([
            Route(name: "sign-ups, resent, a wrong code") { server, _, email in
                let begun = try await server.post(
                    "\(server.api)/sign-ups", ["email": email, "password": TestServer.password])
                let held = try Self.held(begun)
                return [
                    begun, try await server.post("\(server.api)/sign-ups/resend", held),
                    try await server.post("\(server.api)/sign-ups/verify", held.merging(["code": "1"]) { $1 }),
                ]
            },
            Route(name: "sign-ins") { server, _, email in
                [try await server.signIn(email, password: Self.wrong)]
            },
            Route(name: "sign-ins by mail, a wrong code") { server, _, email in
                let fields = server.signInFields(email).filter { Self.client.contains($0.key) || $0.key == "email" }
                let begun = try await server.post("\(server.api)/sign-ins/email", fields)
                let typed = try Self.held(begun).merging(["code": "1"]) { $1 }
                return [begun, try await server.post("\(server.api)/sign-ins/email/verify", typed)]
            },
            Route(name: "resets, a wrong code") { server, _, email in
                let begun = try await server.post("\(server.api)/password-resets", ["email": email])
                let typed = try Self.held(begun).merging(["code": "1", "password": TestServer.password]) { $1 }
                return [begun, try await server.post("\(server.api)/password-resets/confirm", typed)]
            },
        ])
    }

    /// Sends a page's form, goes where it leads, and types a wrong code there.
    private static func through(
        _ browser: TestBrowser, _ path: String, _ form: KeyValuePairs<String, String>,
        typing code: KeyValuePairs<String, String> = ["code": "1"]
    ) async throws -> [HTTPResponse] {
        let begun = try await browser.submit("\(browser.server.hosted)/\(path)", form)
        let page = try #require(begun.location, "\(begun.text)")
        return [begun, try await browser.open(page), try await browser.submit(page, code)]
    }

    @Test func `the pages: sign-up and resend, sign-in, sign-in by mail and reset`() async throws {
        try await compare([
            Route(name: "sign-up and resend") { server, browser, email in
                let answers = try await Self.through(
                    browser, "sign-up", ["email": email, "password": TestServer.password])
                let query = try #require(answers[0].location?.split(separator: "?").last)
                return answers + [try await browser.submit("\(server.hosted)/sign-up/resend?\(query)", [:])]
            },
            Route(name: "sign-in") { server, browser, email in
                [try await browser.submit("\(server.hosted)/sign-in", ["email": email, "password": Self.wrong])]
            },
            Route(name: "sign-in by mail") { _, browser, email in
                try await Self.through(browser, "sign-in/email", ["email": email])
            },
            Route(name: "reset") { _, browser, email in
                try await Self.through(
                    browser, "password-reset", ["email": email],
                    typing: ["code": "1", "password": TestServer.password])
            },
        ])
    }

    @Test func `a sign-in past the limit`() async throws {
        try await compare(
            pairs: 10,
            [
                Route(name: "sign-ins, limited") { server, _, email in
                    for _ in 0..<20 { _ = try await server.signIn(email, password: Self.wrong) }
                    return [try await server.signIn(email, password: TestServer.password)]
                }
            ])
    }
}

import Curl
import GatepostModel
import Passwords
import TestSupport
import Testing

/// Nobody learns from an answer who has an account: known and unknown addresses in turns, on each route with one.
///
/// The same in content here; the time is a row of `make bench`.
@Suite("Enumeration", .timeLimit(.minutes(5)))
struct EnumerationTests {
    private static let pairs = 300
    private static let cheap = PasswordHasher(
        threads: 2, queueMax: 500, strength: HashStrength(memoryBytes: 8192, passes: 1))

    /// What an answer looks like: its status, the names of its fields with the shape of their values, its body's too.
    private func shape(_ answer: HTTPResponse) -> String {
        // A cookie's attributes come in any order.
        let fields = answer.headers.map { field in
            let parts = field.value.split(separator: ";").map { shape(String($0)) }.sorted()
            return "\(field.name.lowercased()): \(parts.joined(separator: ";"))"
        }.sorted()
        return "\(answer.status)\n\(fields.joined(separator: "\n"))\n\(shape(answer.text))"
    }

    /// Letters and digits in a row become one, so that ids, tokens and dates are alike and words are not.
    private func shape(_ text: String) -> String {
        text.replacing(/[A-Za-z0-9_-]{16,}/, with: "x").replacing(/[0-9]+/, with: "0")
    }

    private func compare(
        _ name: String, pairs: Int = EnumerationTests.pairs,
        _ ask: (TestServer, _ email: String) async throws -> HTTPResponse
    ) async throws {
        var settings = AppSettings()
        (settings.clientMailsPerHour, settings.clientTriesPerQuarterHour) = (1_000_000, 1_000_000)
        let flows = try await TestFlows.make(hasher: Self.cheap, settings: settings)
        try await TestServer.running(flows: flows) { server in
            var shapes: [Bool: Set<String>] = [:]
            for pair in 0..<pairs {
                let (known, unknown) = ("known\(pair)@example.com", "other\(pair)@example.com")
                try await flows.verifiedUser(#require(EmailAddress(known)))
                for isKnown in pair.isMultiple(of: 2) ? [true, false] : [false, true] {
                    shapes[isKnown, default: []].insert(shape(try await ask(server, isKnown ? known : unknown)))
                }
            }
            #expect(shapes[true]?.count == 1, "\(name): \(shapes)")
            #expect(shapes[true] == shapes[false], "\(name)")
        }
    }

    @Test func `a sign-up`() async throws {
        try await compare("sign-ups") { server, email in
            try await server.post("\(server.api)/sign-ups", ["email": email, "password": TestServer.password])
        }
    }

    @Test func `a sign-in with a wrong password`() async throws {
        try await compare("sign-ins") { server, email in
            try await server.signIn(email, password: "nobody has chosen this one")
        }
    }

    @Test func `a sign-in past the limit`() async throws {
        try await compare("sign-ins, limited", pairs: 10) { server, email in
            for _ in 0..<20 { _ = try await server.signIn(email, password: "nobody has chosen this one") }
            return try await server.signIn(email, password: TestServer.password)
        }
    }
}

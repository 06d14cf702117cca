import Curl
import Foundation
import GatepostDev
import GatepostModel
import Testing
import TestSupport

/// `gatepost tokens inspect`, with a token on standard input.
@Suite("gatepost tokens", .timeLimit(.minutes(20)))
struct TokensCommandTests {
    private struct Report: Decodable {
        struct Header: Decodable {
            let typ: String
        }

        struct Claims: Decodable {
            let sub: String
            let appId: String
        }

        let header: Header
        let claims: Claims
        let verdict: String
        let reason: String?
    }

    @Test func `a good token is good, and one that is not says why`() async throws {
        try await Installation.running { installation in
            let server = try await installation.serve()
            let (app, other) = (try await installation.makeApp(), try await installation.makeApp("Harbour"))
            let (client, secret) = try await installation.addConfidentialClient(to: app.id)
            let token = try #require(try await installation.clientToken(app.id, client, secret))
            let issuer = "\(installation.baseURL)/apps/\(app.id)"
            func inspect(_ token: String, _ arguments: String...) async throws -> Program.Outcome {
                // Without a single setting, as on a developer's machine.
                try await Program.run(
                    ["tokens", "inspect"] + arguments, environment: [:], input: token + "\n")
            }

            let good = try await inspect(token, "--issuer", issuer)
            #expect(good.exit == .done && good.output.contains("verdict  good"), "\(good.output) \(good.errors)")
            #expect(good.output.contains("at+jwt") && good.output.contains(client))
            #expect(good.output.contains(/exp +[0-9]+  \(20[0-9-]+T[0-9:.]+Z\)/))
            let json = try await inspect("Bearer " + token, "--issuer", issuer, "--json")
            let report = try json.json(as: Report.self)
            #expect(report.verdict == "good" && report.header.typ == "at+jwt" && report.reason == nil)
            #expect(report.claims.sub == client && report.claims.appId == app.id)

            let foreign = try await inspect(token, "--issuer", "\(installation.baseURL)/apps/\(other.id)")
            #expect(foreign.exit == SettingsTests.failure)
            #expect(foreign.output.contains("verdict  refused: the token is another issuer's"))
            let changed = try await inspect(String(token.dropLast(8)) + "AAAAAAAA", "--issuer", issuer)
            #expect(changed.output.contains("verdict  refused: the signature is not the issuer's"))
            let (third, thirdSecret) = try await installation.addConfidentialClient(to: app.id, "--third-party")
            let given = try #require(try await installation.clientToken(app.id, third, thirdSecret))
            let refused = try await inspect(given, "--issuer", issuer)
            #expect(refused.output.contains("verdict  refused: the token was given to a third party"))
            let unverified = try await inspect(token)
            #expect(unverified.exit == .done && unverified.output.contains("verdict  not verified: name the issuer"))

            // Whether it is good cannot be told, and that is no refusal.
            try await server.terminate()
            let dead = try await inspect(token, "--issuer", issuer)
            #expect(dead.exit == SettingsTests.failure && dead.output.isEmpty, "\(dead.output)")
            #expect(dead.errors.contains("the keys of the issuer cannot be had"), "\(dead.errors)")
        }
    }

    @Test func `what is no token is a plain complaint that does not repeat it`() async throws {
        let secret = "grt_" + String(repeating: "x", count: 43)
        for (text, complaint) in [
            (secret, "this is a refresh token"), ("hello", "this is no signed token"),
            ("", "no token on standard input"),
            ("a.b.c", "this is no signed token"),
        ] {
            let outcome = try await Program.run(["tokens", "inspect"], environment: [:], input: text + "\n")
            #expect(outcome.exit != .done && outcome.errors.contains(complaint), "\(outcome.errors)")
            #expect(!outcome.errors.contains(secret) && outcome.output.isEmpty)
        }
        let usage = try await Program.run(
            ["tokens", "inspect", "--issuer", "http://auth.example/apps/x"], environment: [:], input: "a.b.c\n")
        #expect(usage.exit == SettingsTests.usage, "\(usage.errors)")
    }

    @Test func `a claim cannot steer the terminal`() async throws {
        // {"alg":"none"} and {"a":"\u001b[31mred"}
        let token = "eyJhbGciOiJub25lIn0.eyJhIjoiXHUwMDFiWzMxbXJlZCJ9."
        let outcome = try await Program.run(["tokens", "inspect"], environment: [:], input: token + "\n")
        #expect(outcome.exit == .done && outcome.output.contains("\\u{1b}[31mred"), "\(outcome.errors)")
        #expect(!outcome.output.contains("\u{1b}"))
    }

    /// Story: values were escaped, names were not, and neither was what turns the direction of what is read.
    @Test func `nor can the name of one, nor a header, and JSON says the same in its own escapes`() async throws {
        let header = #"{"alg":"none","typ":"\u009b31mred"}"#
        let claims = #"{"\u001b]0;owned\u0007":1,"\u202eevil\n  exp":["\u007f","\u2066x"],"plain":"Zoë 😀"}"#
        let token = [header, claims, ""].map { Base64URL.encode(Array($0.utf8)) }.joined(separator: ".")
        let outcome = try await Program.run(["tokens", "inspect"], environment: [:], input: token + "\n")
        try #require(outcome.exit == .done, "\(outcome.errors)")
        for name in [
            "\\u{1b}]0;owned\\u{7}", "\\u{202e}evil", "\\u{9b}31mred", "\\u{7f}", "\\u{2066}x", "Zoë 😀",
        ] {
            #expect(outcome.output.contains(name), "\(name) in \(outcome.output)")
        }
        #expect(outcome.output.unicodeScalars.allSatisfy { !Self.steers($0) || $0 == "\n" })
        #expect(!outcome.output.contains("\n  exp"), "no line is forged")

        let json = try await Program.run(["tokens", "inspect", "--json"], environment: [:], input: token + "\n")
        #expect(json.output.unicodeScalars.allSatisfy { !Self.steers($0) || $0 == "\n" }, "\(json.output)")
        let read = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        let names = try #require(read?["claims"] as? [String: Any])
        #expect(Set(names.keys) == ["\u{1b}]0;owned\u{7}", "\u{202e}evil\n  exp", "plain"])
    }

    /// What a terminal acts upon, or reads from the right to the left.
    static func steers(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || (0x202A...0x202E).contains(scalar.value)
            || (0x2066...0x2069).contains(scalar.value)
    }
}

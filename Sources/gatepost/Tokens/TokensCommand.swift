import ArgumentParser
import Foundation
import GatepostClient
import GatepostModel

/// `gatepost tokens`: what a token says, and whether an app would take it.
struct TokensCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens", abstract: "Look into a token, as an app's server does.", subcommands: [Inspect.self])

    /// The command `gatepost tokens inspect`.
    struct Inspect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read a token from standard input, show what it says and whether it is good.",
            discussion: """
                A token is never an argument: arguments are seen by everybody on the machine, and kept in histories.

                With --issuer it is verified with the issuer's published keys, as GatepostClient does it in an app. A
                good token may still be one of a session that has ended: only Gatepost knows (introspection). Without
                --issuer nothing is asked of anybody. Needs no settings. Ends with 1 for a token that is refused.
                """)

        @Option(help: "Whose token it must be, https://…/apps/app_….")
        var issuer: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let issuer = try self.issuer.map { text in
                do { return try GatepostIssuer(text) } catch { throw ValidationError("\(error)") }
            }
            guard let line = readLine()?.trimmingCharacters(in: .whitespaces), !line.isEmpty else {
                throw ValidationError("no token on standard input")
            }
            let token = line.hasPrefix("Bearer ") ? String(line.dropFirst(7)) : line
            guard let text = TokenText(token), let header = JSONValue(text.header), let claims = JSONValue(text.payload)
            else {
                throw UnreadableToken(token)
            }
            let verdict = try await Self.verdict(on: token, issuer)
            try say(Report(header: header, claims: claims, verdict: verdict.word, reason: verdict.reason))
            if verdict.word == .refused { throw ExitCode.failure }
        }

        private enum Word: String, Encodable {
            case good, refused
            case notVerified = "not_verified"
        }

        private struct Report: Encodable {
            let header: JSONValue
            let claims: JSONValue
            let verdict: Word
            let reason: String?
        }

        private static func verdict(
            on token: String, _ issuer: GatepostIssuer?
        ) async throws -> (word: Word, reason: String?) {
            guard let issuer else { return (.notVerified, "name the issuer by --issuer") }
            do {
                _ = try await AccessTokenVerifier(issuer: issuer).verify(token)
                return (.good, nil)
            } catch let refusal as TokenRefusal {
                return (.refused, refusal.description)
            }
        }

        private func say(_ report: Report) throws {
            // The names in it are the token's own: they stay as they are.
            if output.json { return try Terminal.sayPlainJSON(report) }
            Terminal.say("header   \(report.header.text)")
            for (name, value) in report.claims.members {
                let column = name.padding(toLength: max(name.count, 12), withPad: " ", startingAt: 0)
                Terminal.say("  \(column)  \(value.text)\(Self.date(name, value))")
            }
            let word = report.verdict == .notVerified ? "not verified" : report.verdict.rawValue
            Terminal.say("verdict  \(word)\(report.reason.map { ": \($0)" } ?? "")")
        }

        /// The claims that are moments, as people read them.
        private static func date(_ name: String, _ value: JSONValue) -> String {
            guard ["iat", "exp", "nbf", "auth_time"].contains(name), case .whole(let seconds) = value,
                (0..<100_000_000_000).contains(seconds)
            else { return "" }
            return "  (\(Instant(seconds: seconds)))"
        }
    }
}

/// What stands on standard input and is no signed token; says what it is, and never repeats it.
private struct UnreadableToken: Error, CustomStringConvertible {
    let description: String

    init(_ text: String) {
        let prefix = text.prefix { $0 != "_" }
        let purpose = prefix.count < text.count ? OneTimeToken.Purpose(rawValue: String(prefix)) : nil
        description =
            purpose.map { "this is \($0.name): it says nothing by itself, only Gatepost knows it" }
            ?? "this is no signed token: three parts in base 64 for URLs with dots between"
    }
}

extension OneTimeToken.Purpose {
    /// What people call a token of this purpose.
    fileprivate var name: String {
        switch self {
        case .flow: "a flow token"
        case .link: "the secret of a link in a mail"
        case .authorizationCode: "an authorization code"
        case .refresh: "a refresh token"
        case .apiKey: "an API key"
        case .browser: "what tells one browser from another"
        case .hostedSession: "a browser's session on the hosted pages"
        case .clientSecret: "a client's secret"
        case .pushedRequest: "a pushed request"
        case .providerState: "the state of a provider's sign-in"
        case .identityLink: "the code of an identity to be linked"
        case .factorChallenge: "a challenge token of a second factor"
        }
    }
}

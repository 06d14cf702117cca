import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore

extension Benchmark {
    private static let nowhere = RequestOrigin(ip: "127.0.0.1", userAgent: nil)

    static let codeExchange = Benchmark(name: "code-exchange") { site, pace in
        let codes = LaidOutTokens(.authorizationCode, at: site, perClient: 625 * pace.seconds)
        try await codes.plant(measurements: (pace.runs + 1) * 2)
        guard let challenge = CodeChallenge(verifier: LaidOutTokens.verifier) else {
            throw Program.Failed(description: "no challenge")
        }
        let pgbench = try await site.withFlows { flows in
            try await codes.pgbench { code, database, scope in
                let presentation = CodePresentation(
                    code: code, clientID: site.client, redirectURI: site.redirectURI, challenge: challenge)
                // The client is read first, as the endpoint does.
                let flows = try await flows(database)
                guard
                    case .client = try await flows.clientAuthentication.authenticate(
                        .id(site.client), in: scope, from: nowhere),
                    try await flows.codeExchange.exchange(presentation, idTokensBy: .es256, in: scope, from: nowhere)
                        != nil
                else { throw Program.Failed(description: "a code was refused") }
            }
        }
        let form =
            "grant_type=authorization_code&client_id=\(site.client)&code_verifier=\(LaidOutTokens.verifier)"
            + "&redirect_uri=\(formEncoded(site.redirectURI))&code"
        let comparison = try await site.running(["serve"]) { _ in
            try await site.compare(
                at: pace,
                { try await codes.rate(of: form, seconds: pace.seconds) },
                with: { try await codes.rate(of: pgbench) })
        }
        return [
            Row(
                "HTTP code exchange", "/s", comparison, limitIs: "pgbench",
                note: """
                    gatepost serve, wrk with 32 connections, each code once, with an ID token; pgbench runs the two \
                    batches: the client, and the exchange.
                    """)
        ]
    }

    static let refresh = Benchmark(name: "refresh") { site, pace in
        let tokens = LaidOutTokens(.refresh, at: site, perClient: 625 * pace.seconds)
        try await tokens.plant(measurements: (pace.runs + 1) * 2)
        let pgbench = try await site.withFlows { flows in
            try await tokens.pgbench { token, database, scope in
                let flows = try await flows(database)
                guard
                    case .client = try await flows.clientAuthentication.authenticate(
                        .id(site.client), in: scope, from: nowhere),
                    try await flows.refresh.refresh(
                        token, by: site.client, idTokensBy: .es256, in: scope, from: nowhere) != nil
                else { throw Program.Failed(description: "a token was refused") }
            }
        }
        let form = "grant_type=refresh_token&client_id=\(site.client)&refresh_token"
        let comparison = try await site.running(["serve"]) { _ in
            try await site.compare(
                at: pace,
                { try await tokens.rate(of: form, seconds: pace.seconds) },
                with: { try await tokens.rate(of: pgbench) })
        }
        return [
            Row(
                "HTTP refresh", "/s", comparison, limitIs: "pgbench", must: .atLeast(0.40),
                note: """
                    gatepost serve, wrk with 32 connections, each token once, with an ID token; pgbench runs the two \
                    batches: the client, and the exchange.
                    """)
        ]
    }

    /// A URI as the value of a form's field.
    private static func formEncoded(_ text: String) -> String {
        // Of string.format in Lua, too, in which % begins something.
        (text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text).replacing("%", with: "%%")
    }
}

import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore

extension Benchmark {
    private static let nowhere = RequestOrigin(ip: "127.0.0.1", userAgent: nil)

    static let codeExchange = Benchmark(name: "code-exchange") { site, pace in
        let codes = LaidOutTokens(.authorizationCode, of: site.client, at: site, perClient: 625 * pace.seconds)
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
        [
            Row(
                "HTTP refresh", "/s", try await refreshing(by: site.client, .es256, at: site, pace),
                limitIs: "pgbench", must: .atLeast(0.40),
                note: """
                    gatepost serve, wrk with 32 connections, each token once, with an ID token; pgbench runs the two \
                    batches: the client, and the exchange.
                    """)
        ]
    }

    static let refreshRS256 = Benchmark(name: "refresh-rs256") { site, pace in
        let client = try await site.withDatabase { try await clientWithRSA(at: site, $0) }
        return [
            Row(
                "HTTP refresh, RS256", "/s", try await refreshing(by: client, .rs256, at: site, pace),
                limitIs: "pgbench",
                note: "The same for a client whose ID tokens are signed with RS256, as those of new clients are.")
        ]
    }

    private static func refreshing(
        by client: ClientID, _ algorithm: SigningAlgorithm, at site: Site, _ pace: Pace
    ) async throws -> Comparison {
        let tokens = LaidOutTokens(.refresh, of: client, at: site, perClient: 625 * pace.seconds)
        try await tokens.plant(measurements: (pace.runs + 1) * 2)
        let pgbench = try await site.withFlows { flows in
            try await tokens.pgbench { token, database, scope in
                let flows = try await flows(database)
                guard
                    case .client = try await flows.clientAuthentication.authenticate(
                        .id(client), in: scope, from: nowhere),
                    try await flows.refresh.refresh(token, by: client, idTokensBy: algorithm, in: scope, from: nowhere)
                        != nil
                else { throw Program.Failed(description: "a token was refused") }
            }
        }
        let form = "grant_type=refresh_token&client_id=\(client)&refresh_token"
        return try await site.running(["serve"]) { _ in
            try await site.compare(
                at: pace,
                { try await tokens.rate(of: form, seconds: pace.seconds) },
                with: { try await tokens.rate(of: pgbench) })
        }
    }

    private static func clientWithRSA(at site: Site, _ database: Database) async throws -> ClientID {
        let flow = AppFlow(
            database: database, clock: HostClock(), random: SystemRandom(), keys: try KeyRing(site.keys))
        return try await flow.createClient(
            named: "RS256", redirectURIs: [site.redirectURI].compactMap(RedirectURI.init), idTokenAlgorithm: .rs256,
            in: try await site.scope())
    }

    /// A URI as the value of a form's field.
    private static func formEncoded(_ text: String) -> String {
        // Of string.format in Lua, too, in which % begins something.
        (text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text).replacing("%", with: "%%")
    }
}

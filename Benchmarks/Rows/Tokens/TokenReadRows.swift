import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore

extension Benchmark {
    private static let connections = 32
    /// So many people are busy at once: a token is not shown by all requests.
    private static let userCount = 1000

    /// A token of each of the first users' sessions, as the token endpoint would have given it.
    private static func accessTokens(of client: ClientID, at site: Site, count: Int) async throws -> [String] {
        try await site.withDatabase { database in
            let cache = KeyCache(database: database, ring: try KeyRing(site.keys), clock: HostClock())
            let issuer = TokenIssuer(cache: cache, random: SystemRandom(), baseURL: site.baseURL)
            let scope = try await site.scope()
            let keys = try await cache.keys(of: scope)
            return try (0..<count).map { number in
                let id = Site.firstUser + number
                return try issuer.sign(
                    SessionProof(
                        id: Site.id(ofUser: id), userID: Site.id(ofUser: id), amr: ["pwd"],
                        authenticatedAt: HostClock().now, scope: GrantScope("openid email profile")),
                    client: client, life: .hours(12), keys: keys, in: scope, at: HostClock().now
                ).revealed
            }
        }
    }

    /// Requests with these tokens in turns, each put together before the first is sent.
    private static func inTurns(_ tokens: [String]) -> String {
        """
        local tokens = { \(tokens.map { "'\($0)'" }.joined(separator: ",\n")) }
        local requests, turn = {}, 0
        function init(args)
            for i, token in ipairs(tokens) do
                wrk.headers['Authorization'] = 'Bearer ' .. token
                requests[i] = wrk.format()
            end
        end
        function request()
            turn = turn % #requests + 1
            return requests[turn]
        end

        """
    }

    private static func health(_ site: Site, _ pace: Pace) async throws -> Double {
        try await Wrk.rate(
            "\(site.baseURL)/health/live", connections: connections, seconds: pace.seconds, request: "\n")
    }

    static let userInfo = Benchmark(name: "userinfo") { site, pace in
        let tokens = try await accessTokens(of: site.client, at: site, count: userCount)
        let pgbench = try await site.withFlows { flows in
            try await site.pgbench { database, scope in
                let outcome = try await flows(database).userInfo.claims(ofAccessToken: tokens[0], in: scope)
                guard case .known = outcome else { throw Program.Failed(description: "the token is refused") }
            }
        }
        let comparison = try await site.running(["serve"]) { _ in
            try await site.compare(
                at: pace,
                {
                    try await Wrk.rate(
                        "\(site.baseURL)/apps/\(site.app)/oauth/userinfo", connections: connections,
                        seconds: pace.seconds, request: inTurns(tokens))
                }, with: { try await pgbench.rate(seconds: pace.seconds) })
        }
        return [
            Row(
                "HTTP userinfo", "/s", comparison, limitIs: "pgbench",
                note: """
                    gatepost serve, wrk with \(connections) connections, \(userCount) users in turns; pgbench reads \
                    the session and its user.
                    """)
        ]
    }

    static let introspection = Benchmark(name: "introspection") { site, pace in
        let (random, now) = (SystemRandom(), HostClock().now)
        let client = ClientID.make(at: now, random: random)
        let secret = NewClientSecret(
            id: .make(at: now, random: random), token: .make(.clientSecret, random: random))
        let scope = try await site.scope()
        try await site.withDatabase { database in
            try await database.batch(in: scope) { batch in
                batch.insertClient(client, named: "Server", type: .confidential, redirectURIs: [], at: now)
                batch.insertClientSecret(secret, of: client, at: now)
            }
        }
        let token = try await accessTokens(of: client, at: site, count: 1)[0]
        let pgbench = try await site.withFlows { flows in
            try await site.pgbench { database, scope in
                let flows = try await flows(database)
                guard
                    case .client = try await flows.clientAuthentication.authenticate(
                        .secret(secret.token, of: client), in: scope,
                        from: RequestOrigin(ip: "127.0.0.1", userAgent: nil)),
                    try await flows.introspection.introspect(token, by: client, in: scope) != nil
                else { throw Program.Failed(description: "the token is refused") }
            }
        }
        let body =
            "client_id=\(client)&client_secret=\(secret.token.secret.revealed)&token=\(token)"
        let comparison = try await site.running(["serve"]) { _ in
            try await site.compare(
                at: pace,
                {
                    try await Wrk.rate(
                        "\(site.baseURL)/apps/\(site.app)/oauth/introspect", connections: connections,
                        seconds: pace.seconds,
                        request: """
                            wrk.method = 'POST'
                            wrk.headers['Content-Type'] = 'application/x-www-form-urlencoded'
                            wrk.body = '\(body)'

                            """)
                }, with: { try await pgbench.rate(seconds: pace.seconds) })
        }
        return [
            Row(
                "HTTP introspection", "/s", comparison, limitIs: "pgbench",
                note: """
                    gatepost serve, wrk with \(connections) connections, a client with a secret; pgbench runs the two \
                    batches: client and secrets, session and user.
                    """)
        ]
    }

    static let meAlone = Benchmark(name: "me-alone") { site, pace in
        let tokens = try await accessTokens(of: site.client, at: site, count: userCount)
        let comparison = try await site.running(["serve"]) { _ in
            try await site.compare(
                at: pace,
                {
                    try await Wrk.rate(
                        site.url("me"), connections: connections, seconds: pace.seconds, request: inTurns(tokens))
                }, with: { try await health(site, pace) })
        }
        return [
            Row(
                "GET me", "/s", comparison, limitIs: "GET health/live", must: .atLeast(0.30),
                note: """
                    gatepost serve, wrk with \(connections) connections, \(userCount) users in turns; also met at \
                    8,000 a second.
                    """)
        ]
    }

    static let keySet = Benchmark(name: "jwks") { site, pace in
        let comparison = try await site.running(["serve"]) { _ in
            try await site.compare(
                at: pace,
                {
                    try await Wrk.rate(
                        "\(site.baseURL)/apps/\(site.app)/jwks.json", connections: connections,
                        seconds: pace.seconds, request: "\n")
                }, with: { try await health(site, pace) })
        }
        return [
            Row(
                "GET jwks.json", "/s", comparison, limitIs: "GET health/live",
                note: "gatepost serve, wrk with \(connections) connections: the app's keys, and a route without any.")
        ]
    }
}

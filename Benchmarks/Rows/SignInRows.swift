import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore
import Passwords

extension Benchmark {
    /// Sign-ins under way at once: enough to keep every hash thread busy.
    private static let signInConnections = 16

    static let signIn = Benchmark(name: "sign-in") { site, pace in
        let threads = ProcessInfo.processInfo.activeProcessorCount
        let hasher = PasswordHasher(threads: threads, queueMax: 64)
        let password = PasswordPolicy.bytes(of: Site.password)
        // There are a hundred in a second, and the last sixteen, which are under way at the end, are not counted.
        let seconds = 3 * pace.seconds
        let comparison = try await site.running(["serve"]) { _ in
            try await site.compare(
                at: pace,
                {
                    try await Wrk.rate(
                        site.url("sign-ins"), connections: signInConnections, seconds: seconds,
                        request: signIns(site))
                },
                with: {
                    try await Loop.rate(tasks: signInConnections, seconds: seconds) {
                        guard case .matches = try await hasher.verify(password, against: Site.passwordHash) else {
                            throw Program.Failed(description: "the password has another hash")
                        }
                    }
                })
        }
        await hasher.shutdown()
        return [
            Row(
                "sign-in", "/s", comparison, limitIs: "bare hashes", must: .atLeast(0.90),
                note: """
                    gatepost serve, wrk with \(signInConnections) connections, \(Site.userCount) users; the limit is a \
                    PasswordHasher of \(threads) threads, as the server has one, with nothing around it. \
                    Three times as long as the other rows.
                    """)
        ]
    }

    static let me = Benchmark(name: "me") { site, pace in
        let token = try await site.withDatabase { try await accessToken(of: Site.firstUser, at: site, $0) }
        @Sendable func rate() async throws -> Double {
            try await Wrk.rate(
                site.url("me"), connections: 8, seconds: pace.seconds,
                request: "wrk.headers['Authorization'] = 'Bearer \(token.revealed)'\n")
        }
        let comparison = try await site.running(["serve"]) { _ in
            try await site.compare(
                at: pace,
                {
                    // The sign-ins begin before and end after what is measured.
                    async let signIns = Wrk.rate(
                        site.url("sign-ins"), connections: signInConnections, seconds: pace.seconds + 2,
                        request: signIns(site))
                    try await Task.sleep(for: .seconds(1))
                    let rate = try await rate()
                    _ = try await signIns
                    return rate
                }, with: rate)
        }
        return [
            Row(
                "GET me while sign-ins saturate", "/s", comparison, limitIs: "GET me alone", must: .atLeast(0.75),
                note: "gatepost serve, wrk with 8 connections for it and 16 that sign in without pause.")
        ]
    }

    /// A token of one of the users' sessions, as the token endpoint would have given it.
    private static func accessToken(of user: Int, at site: Site, _ database: Database) async throws -> Secret {
        let cache = KeyCache(database: database, ring: try KeyRing(site.keys), clock: HostClock())
        let issuer = TokenIssuer(cache: cache, random: SystemRandom(), baseURL: site.baseURL)
        let scope = try await site.scope()
        return try issuer.sign(
            .ofUser(user), client: site.client, life: .hours(12), keys: try await cache.keys(of: scope), in: scope,
            at: HostClock().now)
    }

    private static func signIns(_ site: Site) -> String {
        """
        math.randomseed(os.time())
        wrk.method = 'POST'
        wrk.headers['Content-Type'] = 'application/json'
        function request()
            local user = string.format('%d%04d', \(Site.firstUser / 10_000), math.random(0, \(Site.userCount - 1)))
            return wrk.format(nil, nil, nil, '{"email": "' .. user .. '@users.example", "password": '
                .. '"\(Site.password)", "client_id": "\(site.client)", "redirect_uri": "\(site.redirectURI)", '
                .. '"code_challenge": "\(String(repeating: "A", count: 43))", "code_challenge_method": "S256"}')
        end

        """
    }
}

extension Site {
    /// The URL of one of the app's routes.
    func url(_ route: String) -> String { "\(baseURL)/v1/apps/\(app)/\(route)" }
}

extension SessionProof {
    /// The session that a user of the template has.
    static func ofUser(_ number: Int) -> SessionProof {
        SessionProof(
            id: Site.id(ofUser: number), userID: Site.id(ofUser: number), amr: ["pwd"],
            authenticatedAt: HostClock().now)
    }
}

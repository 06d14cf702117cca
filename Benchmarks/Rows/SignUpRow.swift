import GatepostFlows
import GatepostModel
import GatepostStore
import Passwords

extension Benchmark {
    static let signUp = Benchmark(name: "sign-up") { site, pace in
        let hasher = PasswordHasher(threads: 1, queueMax: 64)
        let pgbench = try await site.pgbench { database, scope in
            let flows = Composition(
                database: database, clock: HostClock(), keys: try KeyRing(site.keys), baseURL: site.baseURL,
                hasher: hasher
            ).flows
            let address = EmailAddress("\(Int.random(in: 9_000_000_000_000_000_000...Int.max))@new.example")
            guard let address else { throw Program.Failed(description: "no address") }
            _ = try await flows.signUp.start(
                address, password: Secret(Site.password), in: scope,
                from: RequestOrigin(ip: "127.0.0.1", userAgent: nil))
        }
        await hasher.shutdown()
        let comparison = try await site.running(["serve-without-hashes"], of: "gatepost-bench") { _ in
            try await site.compare(
                at: pace,
                {
                    try await Wrk.rate(
                        site.url("sign-ups"), connections: 32, seconds: pace.seconds,
                        request: signUps)
                }, with: { try await pgbench.rate(seconds: pace.seconds) })
        }
        return [
            Row(
                "HTTP sign-up without the hash", "/s", comparison, limitIs: "pgbench",
                note: """
                    wrk with 32 connections; the server is the API in a process of the benchmark's own, in which the \
                    function that hashes returns at once. pgbench runs the three batches of a sign-up.
                    """)
        ]
    }

    private static let signUps = """
        local count = 0
        math.randomseed(os.time())
        local first = math.random(1, 2000000000)
        wrk.method = 'POST'
        wrk.headers['Content-Type'] = 'application/json'
        function request()
            count = count + 1
            return wrk.format(nil, nil, nil, string.format(
                '{"email": "%d.%d@new.example", "password": "\(Site.password)"}', first, count))
        end

        """
}

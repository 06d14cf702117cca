import Crypto
import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore

extension Benchmark {
    static let signing = Benchmark(name: "signing") { site, pace in
        let comparison = try await site.withDatabase { database in
            let cache = KeyCache(database: database, ring: try KeyRing(site.keys), clock: HostClock())
            let issuer = TokenIssuer(cache: cache, random: SystemRandom(), baseURL: site.baseURL)
            let scope = try await site.scope()
            let (keys, now) = (try await cache.keys(of: scope), HostClock().now)
            let session = SessionProof.ofUser(Site.firstUser)
            @Sendable func sign() throws -> Secret {
                try issuer.sign(session, client: site.client, life: .seconds(600), keys: keys, in: scope, at: now)
            }
            // Header and payload: what the signature is over.
            let signed = Array(
                try sign().revealed.utf8.split(separator: UInt8(ascii: ".")).prefix(2).joined(separator: [46]))
            let key = P256.Signing.PrivateKey()
            return try await site.compare(
                at: pace,
                {
                    await Loop.cpuRate(seconds: pace.seconds) { precondition((try? sign()) != nil) }
                },
                with: {
                    await Loop.cpuRate(seconds: pace.seconds) { precondition((try? key.signature(for: signed)) != nil) }
                })
        }
        return [
            Row(
                "access token signed", "/CPU s", comparison, limitIs: "raw ES256 of swift-crypto", must: .atLeast(0.85),
                note: "One thread, by its processor time. The limit signs what the token's signature is over, no more.")
        ]
    }

    static let programs = Benchmark(name: "programs") { site, pace in
        let clock = ContinuousClock()
        var rows: [Row] = []
        for (command, ready) in [("serve", "listening on http://"), ("work", "working")] {
            var (starts, memory): ([Double], [Double]) = ([], [])
            for _ in 0..<pace.runs {
                let start = clock.now
                try await site.running([command], saying: ready, with: Site.mailing(to: 1)) { program in
                    starts.append((clock.now - start) / .milliseconds(1))
                    try await Task.sleep(for: .seconds(2))
                    memory.append(try program.residentMiB)
                }
            }
            rows += [
                Row(
                    "start of \(command)", "ms", starts, note: "From the spawn to “\(ready)”, the database at hand."),
                Row("idle memory of \(command)", "MiB", memory, note: "VmRSS two seconds after the start."),
            ]
        }
        return rows
    }
}

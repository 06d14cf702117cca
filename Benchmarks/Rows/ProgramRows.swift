import Crypto
import Foundation
import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostStore
import Passwords
import Synchronization

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
            return try await pace.compare(
                {
                    await Loop.cpuRate(seconds: pace.seconds) { precondition((try? sign()) != nil) }
                },
                with: {
                    await Loop.cpuRate(seconds: pace.seconds) { precondition((try? key.signature(for: signed)) != nil) }
                })
        }
        return [
            Row(
                "access token signed", "/CPU s", comparison, limitIs: "raw ES256 of swift-crypto", must: 0.85,
                note: "One thread, by its processor time. The limit signs what the token's signature is over, no more.")
        ]
    }

    static let delivery = Benchmark(name: "delivery") { site, pace in
        let attempts = Mutex<[String: ContinuousClock.Instant]>([:])
        let clock = ContinuousClock()
        let script = SMTPScript { moment in
            if moment.stage == .rcpt, let recipient = moment.recipients.last {
                attempts.withLock { $0[recipient] = $0[recipient] ?? clock.now }
            }
            return .proceed
        }
        let count = pace.runs * 40
        let milliseconds = try await SMTPServer.running(script: script) { relay in
            let mail = [
                "GATEPOST_SMTP_URL": "smtp://127.0.0.1:\(relay.port)",
                "GATEPOST_MAIL_FROM": "no-reply@gatepost.example",
            ]
            return try await site.running(["work"], saying: "working", with: mail) { _ in
                let commits = try await signUps(count, at: site)
                _ = try await relay.waitForMails(count: count, within: .seconds(60))
                return commits.compactMap { address, commit in
                    attempts.withLock { $0[address] }.map { ($0 - commit) / .milliseconds(1) }
                }
            }
        }
        let poll = (Double(Configuration().outboxPollMilliseconds), "the pause between two looks")
        let note = "\(count) sign-ups at random moments; gatepost work in a process of its own, SMTP to this one."
        return [
            Row("commit to first attempt, p50", "ms", [milliseconds.percentile(50)], limit: poll, note: note),
            Row("commit to first attempt, p99", "ms", [milliseconds.percentile(99)], limit: poll, note: note),
        ]
    }

    static let programs = Benchmark(name: "programs") { site, pace in
        let clock = ContinuousClock()
        var rows: [Row] = []
        for (command, ready) in [("serve", "listening on http://"), ("work", "working")] {
            var (starts, memory): ([Double], [Double]) = ([], [])
            let mail = [
                "GATEPOST_SMTP_URL": "smtp://127.0.0.1:1", "GATEPOST_MAIL_FROM": "no-reply@gatepost.example",
            ]
            for _ in 0..<pace.runs {
                let start = clock.now
                try await site.running([command], saying: ready, with: mail) { program in
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

    /// Signs addresses up, one after the other, and says when each was committed.
    private static func signUps(_ count: Int, at site: Site) async throws -> [(String, ContinuousClock.Instant)] {
        let (clock, hasher) = (ContinuousClock(), PasswordHasher(threads: 1, queueMax: 64))
        let commits = try await site.withDatabase { database in
            let flows = Composition(
                database: database, clock: HostClock(), keys: try KeyRing(site.keys), baseURL: site.baseURL,
                hasher: hasher
            ).flows
            let scope = try await site.scope()
            var commits: [(String, ContinuousClock.Instant)] = []
            for number in 0..<count {
                guard let address = EmailAddress("\(number)@new.example") else { continue }
                _ = try await flows.signUp.start(address, password: Secret(Site.password), in: scope, from: .none)
                commits.append((address.ascii, clock.now))
                // So that the sign-ups are not in step with the worker's looks.
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...150)))
            }
            return commits
        }
        await hasher.shutdown()
        return commits
    }
}

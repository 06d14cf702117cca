import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore
import Passwords
import Synchronization

extension Benchmark {
    static let linkConsume = Benchmark(name: "link-consume") { site, pace in
        let links = LaidOutLinks(site: site, perClient: 250 * pace.seconds)
        try await links.plant(measurements: (pace.runs + 1) * 2)
        let hasher = PasswordHasher(threads: 1, queueMax: 1)
        let keys = try KeyRing(site.keys)
        func flow(_ database: Database) -> VerificationFlow {
            Composition(
                database: database, clock: HostClock(), keys: keys, baseURL: site.baseURL, hasher: hasher
            ).flows.verification
        }
        let pgbench = try await links.pgbench(flow)
        let comparison = try await site.withDatabase { database in
            let (scope, flow) = (try await site.scope(), flow(database))
            return try await site.compare(
                at: pace,
                { try await links.rate(of: flow, in: scope) }, with: { try await links.rate(of: pgbench) })
        }
        await hasher.shutdown()
        return [
            Row(
                "sign-up verified by its link", "/s", comparison, limitIs: "pgbench",
                note: """
                    VerificationFlow.confirm, \(Pgbench.clients) tasks, 4 connections for transactions: the link is \
                    used up, address and password are the user's, an event is recorded. pgbench runs the same \
                    statements on 8 connections, each transaction as one pipeline.
                    """)
        ]
    }
}

/// Sign-ups that wait to be verified, each by a link that is known and is used once.
private final class LaidOutLinks: Sendable {
    /// Ids and addresses of their users begin with these 19 digits and those that follow.
    private static let first = 1_600_000_000_000_000_000

    private let site: Site
    /// What each client uses up in one measurement.
    private let perClient: Int
    /// The first two are there to be recorded.
    private let taken = Atomic<Int>(2)

    init(site: Site, perClient: Int) {
        (self.site, self.perClient) = (site, perClient)
    }

    private var perRun: Int { perClient * Pgbench.clients }

    private static func token(_ purpose: OneTimeToken.Purpose, _ number: Int) throws -> OneTimeToken {
        let digits = String(first + number)
        let text = "\(purpose.rawValue)_" + String(repeating: "0", count: 43 - digits.count) + digits
        guard let token = OneTimeToken(purpose, presented: text) else {
            throw Program.Failed(description: "no token")
        }
        return token
    }

    /// The same in SQL, of a number that an expression gives.
    private static func hash(_ purpose: OneTimeToken.Purpose, _ number: String) -> String {
        "sha256(convert_to('\(purpose.rawValue)_' || lpad(\(number), 43, '0'), 'UTF8'))"
    }

    func plant(measurements: Int) async throws {
        let last = Self.first + measurements * perRun + 1
        try await site.runScript(
            """
            insert into users (app_id, id, email, email_entered, state, auth_epoch, created_at)
            select '\(site.appUUID)', (n || repeat('0', 13))::uuid, n || '@link.example', n || '@link.example',
                   'active', 1, now()
              from generate_series(\(Self.first), \(last)) as n;
            insert into flows (app_id, id, kind, state, user_id, email, auth_epoch, secret_epoch, token_hash, link_hash,
                               code_hash, password_hash, created_at, expires_at)
            select '\(site.appUUID)', (n || repeat('0', 13))::uuid, 'sign_up', 'pending',
                   (n || repeat('0', 13))::uuid, n || '@link.example', 1, 1, \(Self.hash(.flow, "n::text")),
                   \(Self.hash(.link, "n::text")), sha256(convert_to(n::text, 'UTF8')), '\(Site.passwordHash)', now(),
                   now() + interval '1 day'
              from generate_series(\(Self.first), \(last)) as n;
            vacuum analyze users, flows;
            """)
    }

    private func confirm(_ number: Int, by flow: VerificationFlow, in scope: AppScope) async throws {
        let outcome = try await flow.confirm(
            Self.token(.link, number), startedBy: Self.token(.flow, number), in: scope,
            from: RequestOrigin(ip: "127.0.0.1", userAgent: nil))
        guard case .verified = outcome else { throw Program.Failed(description: "a link was refused") }
    }

    /// Prepares pgbench to use up what the program would; `:first` links are gone.
    func pgbench(_ flow: (Database) -> VerificationFlow) async throws -> Pgbench {
        let number = "(:k)::text"
        let digits = String(Self.first + 1)
        func bytes(_ token: OneTimeToken) -> String {
            "\\x" + token.hash.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
        }
        // What the second of the two recorded calls was about.
        let known = [
            bytes(try Self.token(.link, 1)): Self.hash(.link, number),
            bytes(try Self.token(.flow, 1)): Self.hash(.flow, number),
            digits + "0000000000000": "(\(number) || '0000000000000')::uuid",
            digits + "@link.example": "(\(number) || '@link.example')",
        ]
        let calls = Atomic<Int>(0)
        let recording = try await Recording.of(
            site, replacing: { known[$0] ?? known[$0.replacing("-", with: "")] }
        ) { database, scope in
            let call = calls.add(1, ordering: .relaxed).oldValue
            try await self.confirm(call, by: flow(database), in: scope)
        }
        return Pgbench(
            program: site.lab.programs + "/pgbench", url: site.databaseURL, replaying: recording,
            head: "\\set k \(Self.first) + :first + :client_id * \(perClient) + :i - 1\n")
    }

    /// Links a second by pgbench.
    func rate(of pgbench: Pgbench) async throws -> Double {
        try await usingUp { try await pgbench.rate(transactions: self.perClient, from: $0) }
    }

    /// Links a second by Gatepost.
    func rate(of flow: VerificationFlow, in scope: AppScope) async throws -> Double {
        try await usingUp { first in
            let clock = ContinuousClock()
            let start = clock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<Pgbench.clients {
                    group.addTask { [self] in
                        for number in 0..<perClient {
                            try await confirm(first + client * perClient + number, by: flow, in: scope)
                        }
                    }
                }
                try await group.waitForAll()
            }
            return Double(perRun) / ((clock.now - start) / .seconds(1))
        }
    }

    /// Measures, and counts whether every link of the measurement was used up.
    private func usingUp(_ measure: (Int) async throws -> Double) async throws -> Double {
        let first = taken.add(perRun, ordering: .relaxed).oldValue
        let rate = try await measure(first)
        let passed = Int(try await site.runQuery("select count(*) from flows where state = 'passed'")) ?? 0
        guard passed == first + perRun else {
            throw Program.Failed(description: "\(passed) links are used up, not \(first + perRun)")
        }
        return rate
    }
}

import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore
import Passwords
import Synchronization

/// Authorization codes, or refresh tokens, that are known and are used once each.
final class LaidOutTokens: Sendable {
    /// They are these 19 digits and those that follow, behind zeros; Lua's numbers have no 19 digits, so the last nine
    /// stand apart.
    private static let firstDigits = "1700000000"
    /// The verifier of all codes.
    static let verifier = String(repeating: "v", count: 43)

    private let site: Site
    private let purpose: OneTimeToken.Purpose
    private let client: ClientID
    /// What each client uses up in one measurement.
    private let perClient: Int
    /// The first ones are there to be recorded.
    private let taken = Atomic<Int>(100)

    init(_ purpose: OneTimeToken.Purpose, of client: ClientID, at site: Site, perClient: Int) {
        (self.purpose, self.client, self.site, self.perClient) = (purpose, client, site, perClient)
    }

    private var perRun: Int { perClient * Pgbench.clients }
    private var prefix: String { "\(purpose.rawValue)_" + String(repeating: "0", count: 24) }

    /// Lays out as many as so many measurements use up.
    func plant(measurements: Int) async throws {
        let count = 100 + measurements * perRun
        guard let challenge = CodeChallenge(verifier: Self.verifier) else {
            throw Program.Failed(description: "no challenge")
        }
        let client = client.uuid.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let numbers = """
            (select \(Self.firstDigits)000000000 + k as n, \(hash("n")) as hash,
                    ((\(Site.firstUser) + k % \(Site.userCount)) || repeat('0', 13))::uuid as user_id,
                    '\(site.appUUID)'::uuid as app_id, '\(client)'::uuid as client_id,
                    ((\(Self.firstDigits)000000000 + k) || repeat('0', 13))::uuid as id
               from generate_series(0, \(count)) as k
              cross join lateral (select \(Self.firstDigits)000000000 + k as n) as number) as l
            """
        switch purpose {
        case .authorizationCode:
            try await site.runScript(
                """
                insert into authorization_codes (app_id, code_hash, client_id, user_id, auth_epoch, redirect_uri,
                                                 code_challenge, scope, amr, authenticated_at, created_at, expires_at)
                select l.app_id, l.hash, l.client_id, l.user_id, 1, '\(site.redirectURI)', '\(challenge.text)',
                       'openid email', array['pwd'], now(), now(), now() + interval '1 day'
                  from \(numbers);
                vacuum analyze authorization_codes;
                """)
        default:
            try await site.runScript(
                """
                insert into token_families (app_id, id, session_id, client_id, scope, created_at, expires_at)
                select l.app_id, l.id, l.user_id, l.client_id, 'openid email', now(), now() + interval '1 day'
                  from \(numbers);
                insert into refresh_tokens (app_id, token_hash, family_id, generation, auth_epoch, created_at,
                                            expires_at)
                select l.app_id, l.hash, l.id, 1, 1, now(), now() + interval '1 day' from \(numbers);
                vacuum analyze token_families, refresh_tokens;
                """)
        }
    }

    /// The hash in SQL of the token whose number an expression gives.
    private func hash(_ number: String) -> String {
        "sha256(convert_to('\(prefix)' || (\(number))::text, 'UTF8'))"
    }

    private func token(_ number: Int) throws -> OneTimeToken {
        let digits = Self.firstDigits + String(String(1_000_000_000 + number).dropFirst())
        guard let token = OneTimeToken(purpose, presented: prefix + digits) else {
            throw Program.Failed(description: "no token")
        }
        return token
    }

    /// Prepares pgbench to use up what the call does; `:first` tokens are gone.
    func pgbench(_ call: @Sendable (OneTimeToken, Database, AppScope) async throws -> Void) async throws -> Pgbench {
        let calls = Atomic<Int>(0)
        // Any of the recorded calls may be the one that is taken.
        let known = Set(
            try (0..<100).map { number in
                "\\x" + (try token(number)).hash.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
            })
        let recording = try await Recording.of(
            site, replacing: { known.contains($0) ? self.hash("(:k)") : nil }
        ) { database, scope in
            try await call(self.token(calls.add(1, ordering: .relaxed).oldValue), database, scope)
        }
        return Pgbench(
            program: site.lab.programs + "/pgbench", url: site.databaseURL, replaying: recording,
            head: "\\set k \(Self.firstDigits)000000000 + :first + :client_id * \(perClient) + :i - 1\n")
    }

    /// Exchanges a second by pgbench; throws unless each has used its token up.
    func rate(of pgbench: Pgbench) async throws -> Double {
        let first = taken.add(perRun, ordering: .relaxed).oldValue
        let rate = try await pgbench.rate(transactions: perClient, from: first)
        let used = try await usedCount(from: first)
        guard used == perRun else {
            throw Program.Failed(description: "\(used) of these tokens are used up, not \(perRun)")
        }
        return rate
    }

    /// How many of a measurement's own are used up: what wrk leaves under way may still use up one of its own then.
    private func usedCount(from first: Int) async throws -> Int {
        let (table, hash, moment) =
            purpose == .authorizationCode
            ? ("authorization_codes", "code_hash", "redeemed_at") : ("refresh_tokens", "token_hash", "used_at")
        let query = """
            select count(*)
              from generate_series(\(first), \(first + perRun - 1)) as k
              join \(table) on \(hash) = \(self.hash("\(Self.firstDigits)000000000 + k"))
             where \(moment) is not null
            """
        return Int(try await site.runQuery(query)) ?? 0
    }

    /// Exchanges a second over HTTP; one whose token is gone or unknown fails.
    func rate(of form: String, seconds: Int) async throws -> Double {
        let first = taken.add(perRun, ordering: .relaxed).oldValue
        return try await Wrk.rate(
            "\(site.baseURL)/apps/\(site.app)/oauth/token", connections: 32, seconds: seconds,
            request: """
                local count = \(first) - 1
                wrk.method = 'POST'
                wrk.headers['Content-Type'] = 'application/x-www-form-urlencoded'
                function request()
                    count = count + 1
                    return wrk.format(nil, nil, nil,
                        string.format('\(form)=\(prefix)\(Self.firstDigits)%09d', count))
                end

                """)
    }
}

extension Site {
    /// Runs `body` with what makes flows over a database that is recorded, whose keys are read beside the record.
    func withFlows<Output>(_ body: (@Sendable (Database) async throws -> Flows) async throws -> Output) async throws
        -> Output
    {
        let hasher = PasswordHasher(threads: 1, queueMax: 1)
        let scope = try await scope()
        let output = try await withDatabase(connections: 1) { beside in
            let cache = KeyCache(database: beside, ring: try KeyRing(keys), clock: HostClock())
            _ = try await cache.keys(of: scope)
            return try await body { database in
                _ = try await cache.keys(of: scope)
                return Flows(
                    of: FlowParts(
                        database: database, clock: HostClock(), random: SystemRandom(), cache: cache,
                        baseURL: baseURL, hasher: hasher))
            }
        }
        await hasher.shutdown()
        return output
    }
}

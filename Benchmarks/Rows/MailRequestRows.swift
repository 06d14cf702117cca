import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore
import Passwords
import Synchronization

extension Benchmark {
    static let mailRequests = Benchmark(name: "mail-requests") { site, pace in
        // Addresses without an account get one by signing in, so that every request owes a mail.
        try await site.runScript("update apps set settings = settings || '{\"email_sign_up\": true}'")
        // Each address is asked for once: a limit that refuses is cheap.
        let people = PeopleAsked(perRun: 5000 * pace.seconds)
        try await people.plant(runs: pace.runs + 1, at: site)
        let hasher = PasswordHasher(threads: 1, queueMax: 1)
        func flows(_ database: Database) throws -> Flows {
            Composition(
                database: database, clock: HostClock(), keys: try KeyRing(site.keys), baseURL: site.baseURL,
                hasher: hasher
            ).flows
        }
        let (client, origin) = (try site.asking(), RequestOrigin(ip: "127.0.0.1", userAgent: nil))
        let signIns = try await site.pgbench { database, scope in
            let address = try EmailAddress.ofNobody()
            _ = try await flows(database).emailSignIn.start(address, to: client, locale: nil, in: scope, from: origin)
        }
        let resets = try await site.pgbench { database, scope in
            // Of one of the users that pgbench draws from, so that a mail is owed there, too.
            let address = try EmailAddress.ofAnyUser()
            _ = try await flows(database).passwordReset.start(address, locale: nil, in: scope, from: origin)
        }
        await hasher.shutdown()
        let (links, passwords) = try await site.running(["serve"]) { _ in
            let links = try await site.compare(
                at: pace,
                {
                    try await Wrk.rate(
                        site.url("sign-ins/email"), connections: 32, seconds: pace.seconds, request: asks(site))
                }, with: { try await signIns.rate(seconds: pace.seconds) })
            let passwords = try await site.compare(
                at: pace,
                {
                    try await Wrk.rate(
                        site.url("password-resets"), connections: 32, seconds: pace.seconds,
                        request: people.nextRun())
                }, with: { try await resets.rate(seconds: pace.seconds) })
            return (links, passwords)
        }
        return [
            Row(
                "HTTP request of a sign-in mail", "/s", links, limitIs: "pgbench",
                note: """
                    gatepost serve, wrk with 32 connections, each address once, a mail owed each time; pgbench runs \
                    the two batches of a request.
                    """),
            Row(
                "HTTP request of a reset mail", "/s", passwords, limitIs: "pgbench",
                note: """
                    The same for a password reset of a user. pgbench's addresses are those of \(Site.userCount) users, \
                    its limits count and refuse nothing.
                    """),
        ]
    }

    private static func asks(_ site: Site) -> String {
        """
        local count = 0
        math.randomseed(os.time())
        local first = math.random(1, 2000000000)
        wrk.method = 'POST'
        wrk.headers['Content-Type'] = 'application/json'
        function request()
            count = count + 1
            return wrk.format(nil, nil, nil, string.format('{"email": "%d.%d@new.example", ', first, count)
                .. '"client_id": "\(site.client)", "redirect_uri": "\(site.redirectURI)", '
                .. '"code_challenge": "\(String(repeating: "A", count: 43))", "code_challenge_method": "S256"}')
        end

        """
    }
}

/// Users who ask for a mail once each, in the order of their numbers.
private final class PeopleAsked: Sendable {
    /// Above the users of the template, below what pgbench makes anew; Lua's numbers have no 19 digits, so these stand
    /// apart from the last nine.
    private static let firstDigits = "1500000000"
    private let perRun: Int
    private let runCount = Atomic<Int>(0)

    init(perRun: Int) {
        self.perRun = perRun
    }

    /// Makes as many as so many runs can ask for.
    func plant(runs: Int, at site: Site) async throws {
        try await site.runScript(
            """
            insert into users (app_id, id, email, email_entered, email_verified_at, state, auth_epoch, created_at)
            select '\(site.appUUID)', (n || repeat('0', 13))::uuid, n || '@users.example', n || '@users.example', now(),
                   'active', 1, now()
              from (select '\(Self.firstDigits)' || lpad(k::text, 9, '0') as n
                      from generate_series(0, \(runs * perRun - 1)) as k) as numbers;
            vacuum analyze users;
            """)
    }

    /// Lua that asks for the users of the next run.
    func nextRun() -> String {
        let run = runCount.add(1, ordering: .relaxed).oldValue
        return """
            local count = \(run * perRun) - 1
            wrk.method = 'POST'
            wrk.headers['Content-Type'] = 'application/json'
            function request()
                count = count + 1
                return wrk.format(nil, nil, nil,
                    string.format('{"email": "\(Self.firstDigits)%09d@users.example"}', count))
            end

            """
    }
}

extension EmailAddress {
    /// An address that nobody has, different each time.
    static func ofNobody() throws -> EmailAddress {
        let number = Int.random(in: 9_000_000_000_000_000_000...Int.max)
        guard let address = EmailAddress("\(number)@new.example") else {
            throw Program.Failed(description: "no address")
        }
        return address
    }

    /// The address of one of the template's users.
    static func ofAnyUser() throws -> EmailAddress {
        guard let address = EmailAddress(Site.address(ofUser: Site.anyUser())) else {
            throw Program.Failed(description: "no address")
        }
        return address
    }
}

extension Site {
    /// The app's id as Postgres reads it.
    var appUUID: String { app.uuid.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    /// The client as it asks for a sign-in.
    func asking() throws -> PasswordSignInFlow.Client {
        guard let challenge = CodeChallenge(String(repeating: "A", count: 43)) else {
            throw Program.Failed(description: "no challenge")
        }
        return PasswordSignInFlow.Client(id: client, redirectURI: redirectURI, challenge: challenge)
    }
}

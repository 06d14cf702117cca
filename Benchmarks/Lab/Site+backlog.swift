import Foundation
import GatepostModel
import GatepostOutbox
import Postgres

/// Messages that wait already, planted by the superuser: what a worker finds after an outage, or after a mass mail.
extension Site {
    /// The kind of what nobody delivers.
    static let localKind = MessageKind(rawValue: "benchmark")
    /// The time between two messages of one app, as if they had been owed one after the other.
    static let spacing: Duration = .milliseconds(1)

    /// The app of a number, from 1; see `plantApps`.
    static func app(_ number: Int) -> AppID {
        AppID(uuid: UUIDBits(high: 0x7000, low: 0x8000_0000_0000_0000 | UInt64(number)))
    }

    private static let appInSQL = "('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"

    /// The app of the site as SQL.
    private var ownApp: String { "'\(app.uuid.bytes.map { String(format: "%02x", $0) }.joined())'::uuid" }

    /// An id of version 7 in SQL, as the product makes them, of so many milliseconds after another one.
    ///
    /// Random ids would go to another leaf of each index every time.
    private static func idInSQL(_ number: String) -> String {
        let time = "lpad(to_hex((extract(epoch from now()) * 1000)::bigint + \(number)), 12, '0')"
        return "(left(\(time), 8) || '-' || right(\(time), 4) || '-7' || substr(gen_random_uuid()::text, 16))::uuid"
    }

    /// Makes apps with the settings of the first, and lets each owe messages of one lane, the first one due at `base`.
    func plantBacklog(
        apps: Int, each: Int, in lane: Lane, from base: Instant, number first: Int = 1
    ) async throws {
        let payload = #"{"about": "\#(String(repeating: "x", count: 110))"}"#
        try await runScript(
            """
            insert into apps (id, name, state, settings, created_at)
            select \(Self.appInSQL), 'Benchmark ' || n, 'active', a.settings, now()
              from generate_series(\(first), \(first + apps - 1)) as n, apps as a where a.id = \(ownApp);
            insert into outbox (app_id, id, kind, lane, route, ready, due_at, expires_at, payload, created_at)
            select \(Self.appInSQL), \(Self.idInSQL("k")), '\(Self.localKind)', '\(lane.rawValue)', 'local', true,
                   '\(base)'::timestamptz + k * interval '1 ms', now() + interval '1 day', '\(payload)', now()
              from generate_series(0, \(each - 1)) as k, generate_series(\(first), \(first + apps - 1)) as n;
            vacuum analyze outbox;
            """)
    }

    /// Makes users who have not proved their address, each with a sign-up that waits for it.
    func plantSignUps(_ count: Int) async throws {
        let number = "(2000000000000000000 + n)"
        let id = "(\(number) || repeat('0', 13))::uuid"
        let address = "\(number) || '@new.example'"
        try await runScript(
            """
            insert into users (app_id, id, email, email_entered, state, auth_epoch, created_at)
            select \(ownApp), \(id), \(address), \(address), 'active', 1, now()
              from generate_series(1, \(count)) as n;
            insert into flows (app_id, id, kind, state, user_id, email, auth_epoch, secret_epoch, token_hash, link_hash,
                               code_hash, created_at, expires_at)
            select \(ownApp), \(id), 'sign_up', 'pending', \(id), \(address), 1, 1, sha256(n::text::bytea),
                   sha256(n::text::bytea), sha256(n::text::bytea), now(), now() + interval '1 day'
              from generate_series(1, \(count)) as n;
            vacuum analyze users, flows;
            """)
    }

    /// The sign-up of a number, from 1, and the address that its mail goes to.
    static func signUp(_ number: Int) -> (flow: FlowID, address: String) {
        let whole = 2_000_000_000_000_000_000 + number
        return (id(ofUser: whole), "\(whole)@new.example")
    }

    /// Owes, at once, the mail of each of the first sign-ups.
    func oweMails(_ count: Int) async throws {
        try await runScript(
            """
            insert into outbox (app_id, id, kind, lane, route, flow_id, user_id, ready, due_at, expires_at, payload,
                                created_at)
            select app_id, \(Self.idInSQL("row_number() over ()")), '\(VerificationMail.kind)', 'interactive', 'mail',
                   id, user_id, true, now(), now() + interval '12 hours', '{}', now()
              from flows where app_id = \(ownApp) limit \(count);
            """)
    }

    /// Owes, at once, so many notices to each endpoint whose URL ends so; by turns where there are several.
    func oweNotices(_ count: Int, endingWith end: String = "") async throws {
        try await runScript(
            """
            insert into outbox (app_id, id, kind, lane, route, user_id, ready, due_at, expires_at, payload, created_at)
            select e.app_id, \(Self.idInSQL("n")), '\(WebhookNotice.kind)', 'notice',
                   '\(OutboxMessage.webhookRoutePrefix)' || e.id, u.id, true, now(), now() + interval '1 day',
                   jsonb_build_object('type', 'user.created', 'timestamp', '2026-01-01T00:00:00Z', 'data',
                                      jsonb_build_object('user_id', u.id, 'email', u.email)), now()
              from generate_series(1, \(count)) as n
             cross join webhook_endpoints as e
             cross join (select id, email from users where app_id = \(ownApp) limit 1) as u
             where e.url like '%\(end)';
            """)
    }
}

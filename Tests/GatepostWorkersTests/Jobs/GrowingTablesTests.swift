import Foundation
import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

/// Every table is named here: one that grows with use has a sweep or partitions, of any other one it says why not.
@Suite("Tables that grow")
struct GrowingTablesTests {
    enum Fate: Sendable {
        /// This job deletes its rows.
        case swept(String)
        /// They go with rows of this table.
        case goesWith(String)
        /// Its days are dropped, and this job deletes for apps that keep less.
        case partitioned(String)
        /// A row goes when its work is done.
        case emptied
        /// It does not grow with use, because.
        case bounded(String)
    }

    static let fates: [String: Fate] = [
        "admin_grants": .bounded("one a user and app, made by hand; it goes with its user or when it is withdrawn"),
        "admin_invitations": .goesWith("flows"),
        "api_keys": .bounded("made by an admin by hand, at most a year each; a revoked one still explains its events"),
        "apps": .bounded("a company's products, made by hand"),
        "audit_events": .swept("delete-past-audit-events"),
        "audit_export_parts": .swept("delete-expired-exports"),
        "audit_exports": .swept("delete-expired-exports"),
        "authorization_codes": .swept("delete-expired-codes"),
        "authorization_requests": .swept("delete-expired-authorization-requests"),
        "captured_mails": .swept("delete-captured-mails"),
        "client_assertions": .swept("delete-used-client-assertions"),
        "client_redirect_uris": .bounded("at most 50 a client"),
        "client_secrets": .bounded("at most two a client"),
        "clients": .bounded("at most 200 an app"),
        "consents": .bounded("at most one a user and client; they go with their user or when they are taken back"),
        "credentials": .bounded("one a user and kind"),
        "deliveries": .partitioned("delete-past-deliveries"),
        "delivery_attempts": .partitioned("delete-past-attempts"),
        "factor_challenges": .swept("delete-expired-factor-challenges"),
        "flows": .swept("delete-expired-flows"),
        "idempotency_keys": .swept("delete-idempotency-keys"),
        "identity_providers": .bounded("at most 20 an app"),
        "job_runs": .swept("delete-past-job-runs"),
        "outbox": .emptied,
        "provider_sign_ins": .swept("delete-expired-provider-sign-ins"),
        "pushed_requests": .swept("delete-expired-pushed-requests"),
        "rate_limits": .swept("delete-rate-limit-windows"),
        "recovery_codes": .bounded("ten a user"),
        "refresh_tokens": .swept("delete-ended-sessions"),
        "roles": .bounded("at most 100 an app"),
        "schema_migrations": .bounded("one a migration"),
        "sessions": .swept("delete-ended-sessions"),
        "signing_keys": .swept("delete-retired-signing-keys"),
        "subject_secrets": .bounded("at most one an app"),
        "token_families": .goesWith("sessions"),
        "user_factors": .bounded("two a user: one in use, and one that waits for its first code, whoever began it"),
        "user_identities": .bounded("one a user and provider; it goes with its user or when it is unlinked"),
        "user_roles": .bounded("at most 20 a user; they go with their user"),
        // Only who never proved an address: the others are an app's people, and time alone takes nobody away.
        "users": .swept("delete-unverified-users"),
        "webhook_endpoints": .bounded("at most 20 an app"),
        "webhook_secrets": .bounded("at most two an endpoint"),
    ]

    private func catalog(_ statement: SQL) async throws -> [String] {
        try await TestDatabase.current.withSuperuser { pool in
            let rows = try await pool.batch([statement], deadline: .seconds(20))[0]
            return try rows.map { row throws(PostgresError) in try row.get(0, as: String.self) }
        }
    }

    @Test func `every table is listed, and no other one`() async throws {
        let tables = try await catalog(
            """
            select relname::text from pg_class
             where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
            """)

        #expect(Set(tables) == Set(Self.fates.keys))
    }

    @Test func `each sweep is a job that ships and deletes from its table, which the worker may`() async throws {
        let mayDelete = Set(
            try await catalog(
                """
                select relname::text from pg_class
                 where relnamespace = 'public'::regnamespace and has_table_privilege('gatepost_worker', oid, 'delete')
                """))
        for (table, fate) in Self.fates {
            let name: String
            switch fate {
            case .swept(let job), .partitioned(let job): name = job
            case .goesWith, .emptied, .bounded: continue
            }
            let text = try text(ofJob: name)
            #expect(try JobCatalog()[name] != nil, "there is no job \(name)")
            #expect(text.contains("delete from \(table)\n"), "\(name) does not delete from \(table)")
            #expect(mayDelete.contains(table), "the worker may not delete from \(table)")
        }
    }

    @Test func `what goes with another table refers to it and is deleted by the database`() async throws {
        let cascades = Set(
            try await catalog(
                """
                select conrelid::regclass::text || ' ' || confrelid::regclass from pg_constraint
                 where contype = 'f' and confdeltype = 'c'
                """))
        for case (let table, .goesWith(let other)) in Self.fates {
            #expect(cascades.contains("\(table) \(other)"))
            guard case .swept = Self.fates[other] else {
                Issue.record("\(other) is not swept")
                continue
            }
        }
    }

    @Test func `exactly the partitioned tables are called so`() async throws {
        let partitioned = Self.fates.filter { if case .partitioned = $0.value { true } else { false } }.keys

        #expect(
            Set(try await catalog("select partrelid::regclass::text from pg_partitioned_table")) == Set(partitioned))
    }

    private func text(ofJob name: String) throws -> String {
        let jobs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../jobs").standardized
        return try String(contentsOf: jobs.appending(path: "\(name).sql"), encoding: .utf8)
    }
}

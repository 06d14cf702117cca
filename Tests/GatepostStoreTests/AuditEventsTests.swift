import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Audit events", .showsSeed)
struct AuditEventsTests {
    private func event(_ app: TestApp) -> AuditEvent {
        AuditEvent(
            .signUpStarted, by: .anyone, id: app.newID(), at: app.clock.now,
            origin: RequestOrigin(ip: "192.0.2.7", userAgent: "Test/1"), reason: "because")
    }

    @Test func `an event carries the number of the transaction that wrote it`() async throws {
        let app = try await TestApp.make()
        let event = event(app)

        let (own, written) = try await app.database.transaction(in: app.scope) { transaction in
            try await transaction.batch { $0.record(event) }
            let rows = try await transaction.query(
                """
                select pg_current_xact_id() as own, transaction_id
                  from audit_events where app_id = \(app.id) and id = \(event.id)
                """)
            let row = try #require(rows.first)
            return (try row.get("own", as: UInt64.self), try row.get("transaction_id", as: UInt64.self))
        }

        #expect(own == written)
    }

    @Test func `events of one batch share their transaction, those of two do not`() async throws {
        let app = try await TestApp.make()
        let (one, two, three) = (event(app), event(app), event(app))

        try await app.database.batch(in: app.scope) { batch in
            batch.record(one)
            batch.record(two)
        }
        try await app.database.batch(in: app.scope) { $0.record(three) }

        let numbers = try await app.database.batch(in: app.scope) { batch in
            batch.read(
                """
                select id, transaction_id from audit_events where app_id = \(app.id)
                """
            ) { rows in
                try rows.map {
                    (try $0.get("id", as: AuditEventID.self), try $0.get("transaction_id", as: UInt64.self))
                }
            }
        }
        let byID = Dictionary(uniqueKeysWithValues: numbers)
        #expect(byID[one.id] == byID[two.id])
        #expect(byID[one.id] != byID[three.id])
    }

    @Test(arguments: [
        "update audit_events set reason = 'another'", "delete from audit_events", "truncate audit_events",
    ])
    func `what has been recorded can be neither changed nor removed by the app`(_ statement: String) async throws {
        let app = try await TestApp.make()
        try await app.database.batch(in: app.scope) { $0.record(event(app)) }

        let asApp = try await sqlState { try await app.database.batch(in: app.scope) { $0.add(.trusted(statement)) } }

        #expect(asApp == "42501")
    }

    @Test(arguments: ["update audit_events set reason = 'another'", "truncate audit_events"])
    func `a worker may delete what is past an app's history, and rewrite nothing`(_ statement: String) async throws {
        let database = try await TestDatabase.current.database

        let asWorker = try await sqlState {
            try await database.system { batch in batch.read(.trusted(statement)) { _ in } }
        }

        #expect(asWorker == "42501")
    }

    @Test func `an event about a session that did not come about is not written`() async throws {
        let app = try await TestApp.make()

        try await app.database.batch(in: app.scope) { batch in
            batch.record(event(app), ifSessionExists: app.newID())
            batch.record(event(app), ifRefreshTokenExists: [1, 2, 3])
        }

        let count = try await app.database.batch(in: app.scope) { batch in
            batch.read("select from audit_events where app_id = \(app.id)") { $0.count }
        }
        #expect(count == 0)
    }

    @Test func `a user agent is kept without control characters and cut at its limit`() {
        let origin = RequestOrigin(
            ip: nil, userAgent: "a\u{0}b\r\nc\u{1B}[31m\u{7F}" + String(repeating: "é", count: 400))

        let kept = origin.userAgent ?? ""
        #expect(kept.hasPrefix("abc[31mé"))
        #expect(kept.unicodeScalars.count == RequestOrigin.userAgentLengthMax)
    }
}

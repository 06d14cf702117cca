import Curl
import Foundation
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// The trail of a test's app, and the steps of an export as tests take them.
extension TestServer {
    var exportsPath: String { "\(adminAPI)/audit-exports" }

    /// Writes an event of the app, past every flow.
    @discardableResult
    func plant(
        _ kind: AuditEvent.Kind = .signInPassed, at moment: Instant? = nil, by actor: AuditEvent.Actor = .user,
        user: UserID? = nil, userAgent: String? = nil, details: [String: String] = [:]
    ) async throws -> AuditEventID {
        var event = AuditEvent(
            kind, by: actor, id: app.newID(), at: moment ?? app.clock.now,
            origin: RequestOrigin(ip: "192.0.2.7", userAgent: userAgent), userID: user)
        event.details = details
        let planted = event
        try await app.database.batch(in: app.scope) { $0.record(planted) }
        return event.id
    }

    /// An admin of the built-in app, with a key that they made.
    struct Admin {
        let user: UserID
        let key: String
    }

    /// Makes an admin with a role for one app or for all.
    func makeAdmin(_ email: String, _ role: AdminRole, in target: AppID? = nil) async throws -> Admin {
        let scope = try #require(try await app.database.scope(of: .gatepost))
        let address = try #require(EmailAddress(email))
        let (user, grant): (UserID, AdminGrantID) = (app.newID(), app.newID())
        let token = OneTimeToken.make(.apiKey, random: app.random)
        let key = NewAPIKey(
            id: app.newID(), token: token, name: "Test", grant: AdminGrant(role, in: target), madeBy: user,
            createdAt: app.clock.now, expiresAt: app.clock.now + .days(30))
        try await app.database.batch(in: scope) { batch in
            batch.insertUser(user, email: address, at: app.clock.now)
            batch.markVerified(user, at: app.clock.now)
            batch.add(
                """
                insert into admin_grants (app_id, id, user_id, role, target_app_id, created_at)
                values (\(scope.appID), \(grant), \(user), \(role.rawValue), \(target), \(app.clock.now))
                """)
            batch.insertAPIKey(key)
        }
        return Admin(user: user, key: token.secret.revealed)
    }

    /// Asks for an export and returns its id.
    func beginExport(_ json: String, key: String) async throws -> String {
        let answer = try await admin("POST", exportsPath, key: key, json: json)
        #expect(answer.status == 202, "\(answer.text)")
        return try #require(answer.field("id"))
    }

    /// Works until an export is finished: other tests' transactions, too, have to end before it can be.
    func finish(_ export: String, key: String, to sink: MailSink) async throws {
        try await TestDatabase.current.waitForOlderTransactions()
        for _ in 0..<1000 {
            try await app.drainAll(to: sink)
            let answer = try await admin("GET", "\(exportsPath)/\(export)", key: key)
            guard answer.field("state") == "running" else { return }
            app.clock.advance(by: .seconds(1))
        }
        Issue.record("the export was never finished")
    }

    /// Asks for an export, works until it is finished, and fetches the file.
    func export(_ json: String, key: String, to sink: MailSink? = nil) async throws -> (id: String, file: HTTPResponse)
    {
        let id = try await beginExport(json, key: key)
        if let sink {
            try await finish(id, key: key, to: sink)
        } else {
            try await MailSink.running { try await finish(id, key: key, to: $0) }
        }
        return (id, try await fetch(id, key: key))
    }

    /// Fetches the file of an export.
    func fetch(
        _ export: String, key: String, headers: KeyValuePairs<String, String> = [:], method: String = "GET"
    ) async throws -> HTTPResponse {
        try await admin(method, "\(exportsPath)/\(export)/file", key: key, headers: headers)
    }
}

extension HTTPResponse {
    /// The lines of an NDJSON file, each an object.
    var objects: [[String: Any]] {
        text.split(separator: "\n").compactMap { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        }
    }

    /// The ids of a list's items or of a file's lines.
    var eventIDs: [String] {
        let listed = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]
        let rows = listed?["items"] as? [[String: Any]] ?? objects
        return rows.compactMap { $0["id"] as? String }
    }
}

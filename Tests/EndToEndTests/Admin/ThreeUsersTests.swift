import Crypto
import Curl
import Foundation
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// The three whom Gatepost serves, with the real program: a product's mail is in the ledger, an app learns that a user
/// was deactivated, an auditor receives the trail of it.
@Suite("The three users", .timeLimit(.minutes(20)))
struct ThreeUsersTests {
    private static let note = "asked to leave by letter"

    @Test func `a deactivation ends everything, is told over HTTPS, and stands in ledger, trail and export`()
        async throws
    {
        let receiver = try await WebhookReceiver()
        let port = try await receiver.port()
        // The first mail arrives; from the second on the relay is too busy.
        let relay = SMTPScript { moment in
            moment.stage == .mail && moment.connection > 1 ? .reply(451, "4.3.2 come back later") : .proceed
        }
        try await Installation.running(script: relay, settings: ["GATEPOST_CA_BUNDLE": receiver.certificate]) {
            installation in
            try await installation.serve()
            try await installation.work()
            let scene = try await Scene.set(in: installation, notices: "https://localhost:\(port)/ok")

            try await scene.deactivate(note: Self.note)
            try await expectNothingWorks(scene)
            try await expectNotice(scene, receiver)
            try await expectLedger(scene)
            try await expectTrail(scene)
            try await expectExport(scene)
        }
        await receiver.stop()
    }

    /// Refused at once: the same second is not even needed.
    private func expectNothingWorks(_ scene: Scene) async throws {
        #expect(try await scene.app.asUser(scene.tokens.access).problem == .sessionEnded)
        #expect(try await scene.app.refresh(scene.tokens.refresh).field("error") == "invalid_grant")
        #expect(try await scene.app.exchange(scene.code).field("error") == "invalid_grant")
        #expect(try await scene.app.signIn(Story.email).problem == .userDeactivated)
    }

    private func expectNotice(_ scene: Scene, _ receiver: WebhookReceiver) async throws {
        let notices = try await receiver.notices(count: 2)
        let bodies = notices.map(\.body)
        #expect(bodies.contains { $0.contains(#""type":"user.deactivated""#) && $0.contains(scene.user) })
        #expect(bodies.contains { $0.contains(#""type":"session.ended""#) && $0.contains("user_deactivated") })
        let answers = try await WebhookReceiver.verdicts(on: notices, secrets: [scene.secret])
        for answer in answers.flatMap({ $0 }) {
            #expect(answer["standardwebhooks: as it came"] == true && answer["svix: as it came"] == true)
            #expect(answer["svix: changed body"] == false)
        }
    }

    /// Did she get it, and why not: one answer.
    private func expectLedger(_ scene: Scene) async throws {
        let ledger = try await scene.ask("GET", "/deliveries?user=\(scene.user)")
        let mails = ledger.items.filter { ($0["kind"] as? String)?.hasPrefix("mail.") == true }
        #expect(mails.map { $0["state"] as? String } == ["cancelled", "delivered"])
        #expect(mails.first?["reason"] as? String == "user_deactivated")
        #expect((mails.first?["last_reply"] as? String)?.contains("come back later") == true, "\(ledger.text)")
        #expect(await scene.installation.relay.mails().count == 1)
    }

    private func expectTrail(_ scene: Scene) async throws {
        let trail = try await scene.audit("GET", "/audit-events?kind=user.deactivated")
        let event = try #require(trail.items.first, "\(trail.text)")
        #expect(event["user_id"] as? String == scene.user && event["actor_kind"] as? String == "api_key")
        #expect((event["details"] as? [String: Any])?["note"] as? String == Self.note)
    }

    /// The auditor exports the day; the file is whole if its hash is the manifest's.
    private func expectExport(_ scene: Scene) async throws {
        let begun = try await scene.audit("POST", "/audit-exports", #"{"format": "ndjson"}"#)
        let id = try #require(begun.field("id"), "\(begun.text)")
        let finished = try await eventually("the export is finished") {
            let answer = try await scene.audit("GET", "/audit-exports/\(id)")
            return answer.field("state") == "finished" ? answer : nil
        }
        let file = try await scene.audit("GET", "/audit-exports/\(id)/file")
        #expect(hex(Array(SHA256.hash(data: file.body))) == finished.field("manifest.sha256"))
        let lines = file.text.split(separator: "\n")
        #expect("\(lines.count)" == finished.field("manifest.count"))
        #expect(lines.contains { $0.contains("user.deactivated") && $0.contains(Self.note) })
    }
}

/// A user who is signed in on one device and half signed in on another, with a mail that waits, in an app that wants
/// to be told.
private struct Scene: Sendable {
    let installation: Installation
    let app: App
    /// Of a program that may do everything in the app.
    let key: String
    /// Of an auditor's.
    let auditorKey: String
    /// The webhook endpoint's.
    let secret: String
    let tokens: App.Tokens
    /// An authorization code that nobody has exchanged.
    let code: String
    let user: String

    static func set(in installation: Installation, notices url: String) async throws -> Scene {
        let app = try await installation.makeApp()
        let (key, auditorKey) = (
            try await installation.makeAPIKey(), try await installation.makeAPIKey("auditor")
        )
        let signUp = try await app.signUp(Story.email)
        let mail = try await installation.relay.waitForMails(count: 1)[0]
        #expect(try await app.verify(signUp, code: MailSecrets(mail).code).status == 200)
        let first = try #require(try await app.signIn(Story.email).field("code"))
        let tokens = try App.Tokens(try await app.exchange(first))
        let code = try #require(try await app.signIn(Story.email).field("code"))
        let user = try #require(try await app.asUser(tokens.access).field("user.id"))
        // Somebody tries the address again: a mail is owed to her, which the relay puts off.
        _ = try await app.signUp(Story.email)
        try await eventually("the mail was tried") {
            try await installation.count("select count(*) from outbox where attempt_count > 0") > 0 ? () : nil
        }
        let endpoint = try await ask(
            installation, "POST", "/v1/admin/apps/\(app.id)/webhook-endpoints", key: key,
            #"{"url": "\#(url)", "event_types": ["user.deactivated", "session.ended"]}"#)
        return Scene(
            installation: installation, app: app, key: key, auditorKey: auditorKey,
            secret: try #require(endpoint.field("secret")),
            tokens: tokens, code: code, user: user)
    }

    func deactivate(note: String) async throws {
        let answer = try await ask("POST", "/users/\(user)/deactivate", #"{"note": "\#(note)"}"#)
        #expect(answer.field("state") == "deactivated", "\(answer.text)")
    }

    /// Asks the admin API of the app.
    func ask(_ method: String, _ path: String, _ json: String? = nil) async throws -> HTTPResponse {
        try await Self.ask(installation, method, "/v1/admin/apps/\(app.id)\(path)", key: key, json)
    }

    /// Asks as the auditor.
    func audit(_ method: String, _ path: String, _ json: String? = nil) async throws -> HTTPResponse {
        try await Self.ask(installation, method, "/v1/admin/apps/\(app.id)\(path)", key: auditorKey, json)
    }

    private static func ask(
        _ installation: Installation, _ method: String, _ path: String, key: String, _ json: String?
    ) async throws -> HTTPResponse {
        guard let json else {
            return try await installation.send(method, path, headers: ["Authorization": "Bearer \(key)"])
        }
        return try await installation.send(
            method, path, headers: ["Authorization": "Bearer \(key)", "Content-Type": "application/json"], body: json)
    }
}

extension HTTPResponse {
    /// The rows of a list.
    fileprivate var items: [[String: Any]] {
        let answer = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]
        return answer?["items"] as? [[String: Any]] ?? []
    }
}

import Curl
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// The main job, with the real program, a real Postgres and real SMTP.
@Suite("The story", .timeLimit(.minutes(20)))
struct StoryTests {
    @Test(arguments: ["true", "false"])
    func `a person signs up in two apps, proves the address, signs in and signs out, each app on its own`(
        preparedStatements: String
    ) async throws {
        let settings = ["GATEPOST_DATABASE_PREPARED_STATEMENTS": preparedStatements]
        try await Installation.running(settings: settings) { installation in
            try await installation.serve()
            for _ in 1...2 { try await installation.work() }

            var story = try await Story.begin(in: installation)
            try await story.scannersOpenTheLink()
            try await story.verifyBoth()
            try await expectTwoAccounts(story)
            try await expectSessionsApart(&story)
            try await expectSignOuts(&story)
            try await expectLedger(story)
            try await expectAudit(story)
            #expect(await installation.relay.mails().count == 2)
        }
    }

    private func expectTwoAccounts(_ story: Story) async throws {
        let users = try await story.installation.texts(
            """
            select distinct id::text from users
             where email = lower('\(Story.email)') and email_verified_at is not null
            """)
        #expect(users.count == 2)
        // The password of one app opens nothing in the other.
        let wrong = try await story.harbour.app.signIn(Story.email, password: App.password)
        #expect(wrong.problem == .invalidCredentials)
    }

    /// A token of one app is refused by the other, and by an outside verifier that expects the other.
    private func expectSessionsApart(_ story: inout Story) async throws {
        let (lighthouse, harbour) = (story.lighthouse, story.harbour)
        let first = try await story.session(of: lighthouse, password: App.password, "first")
        let second = try await story.session(of: harbour, password: Story.otherPassword, "second")
        for (chapter, own, foreign) in [(lighthouse, first, second), (harbour, second, first)] {
            let me = try await chapter.app.asUser(own.access)
            #expect(me.status == 200 && me.field("user.email") == Story.email)
            #expect(try await chapter.app.asUser(foreign.access).problem == .invalidAccessToken)
            #expect(try await chapter.app.refresh(foreign.refresh).field("error") == "invalid_grant")

            let claims = try await verify(own.access, of: chapter.app)
            #expect(claims["sub"] == me.field("user.id"))
            #expect(claims["client_id"] == chapter.app.client && claims["app_id"] == chapter.app.id)
            #expect(try await verify(foreign.access, of: chapter.app)["refused"] != nil)
            let forged = String(own.access.dropLast(4)) + (own.access.hasSuffix("AAAA") ? "BBBB" : "AAAA")
            #expect(try await verify(forged, of: chapter.app)["refused"] == "InvalidSignatureError")
        }
        let refreshed = try await story.refresh(first, of: lighthouse, "refreshed")
        #expect(try await lighthouse.app.asUser(refreshed.access).status == 200)
        #expect(try await verify(refreshed.access, of: lighthouse.app)["refused"] == nil)
    }

    /// The claims that are text, by PyJWT, which takes the keys from the issuer's metadata.
    private func verify(_ token: String, of app: App) async throws -> [String: String] {
        let claims: [String: Claim] = try await Outside.ask(
            "verify_token.py",
            ["token": token, "issuer": "\(app.installation.baseURL)/apps/\(app.id)", "audience": app.id])
        return claims.compactMapValues(\.text)
    }

    private struct Claim: Decodable {
        let text: String?

        init(from decoder: any Decoder) throws {
            text = try? decoder.singleValueContainer().decode(String.self)
        }
    }

    private func expectSignOuts(_ story: inout Story) async throws {
        let lighthouse = story.lighthouse
        let here = try await story.session(of: lighthouse, password: App.password, "here")
        let there = try await story.session(of: lighthouse, password: App.password, "there")
        let elsewhere = try await story.session(of: story.harbour, password: Story.otherPassword, "elsewhere")

        #expect(try await lighthouse.app.asUser(here.access, "DELETE", "sessions/current").status == 204)
        #expect(try await lighthouse.app.asUser(here.access).problem == .sessionEnded)
        #expect(try await lighthouse.app.refresh(here.refresh).field("error") == "invalid_grant")
        #expect(try await lighthouse.app.asUser(there.access).status == 200)

        #expect(try await lighthouse.app.asUser(there.access, "DELETE", "sessions").status == 204)
        #expect(try await lighthouse.app.asUser(there.access).problem == .sessionEnded)
        #expect(try await lighthouse.app.refresh(there.refresh).field("error") == "invalid_grant")
        #expect(try await story.harbour.app.asUser(elsewhere.access).status == 200)
        let left = try await story.installation.count(
            "select count(*) from sessions where app_id = '\(lighthouse.app.uuid)' and ended_at is null")
        #expect(left == 0)
    }

    /// The command line tells what became of each mail.
    private func expectLedger(_ story: Story) async throws {
        struct Entry: Decodable {
            let id: String
            let kind: String
            let state: String
            let attemptCount: Int
        }
        struct History: Decodable {
            struct Attempt: Decodable {
                let outcome: String
                let code: Int
            }
            let entry: Entry
            let attempts: [Attempt]
        }
        for chapter in [story.lighthouse, story.harbour] {
            let list = try await story.installation.run("outbox", "list", chapter.app.id, "--json")
            let entries = try list.json(as: [Entry].self)
            let entry = try #require(entries.first)
            #expect(entries.count == 1 && entry.kind == "mail.verification" && entry.state == "delivered")
            #expect(chapter.mail.header("Message-ID")?.contains(entry.id) == true)
            let show = try await story.installation.run("outbox", "show", chapter.app.id, entry.id, "--json")
            let history = try show.json(as: History.self)
            #expect(history.attempts.map(\.outcome) == ["delivered"] && history.attempts.map(\.code) == [250])
        }
    }

    private func expectAudit(_ story: Story) async throws {
        let kinds = try await story.lighthouse.app.auditKinds()
        let session = ["sign_in.passed", "session.started"]
        let expected =
            ["sign_up.started", "verification.refused", "user.verified"] + session + ["token.refreshed"] + session
            + session + ["session.ended", "user.signed_out_everywhere"]
        for (kind, wanted) in Dictionary(grouping: expected, by: \.self).mapValues(\.count) {
            #expect(kinds.count { $0 == kind } >= wanted, "\(kind) in \(kinds)")
        }
        #expect(try await story.harbour.app.auditKinds().contains("verification.refused"))
    }
}

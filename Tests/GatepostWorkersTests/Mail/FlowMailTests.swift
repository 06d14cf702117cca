import Foundation
import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

/// The mails of sign-in, reset and change, as they arrive: in the person's language, with the secrets of their flow.
@Suite("Mails of flows", .showsSeed)
struct FlowMailTests {
    let test: TestFlows
    let ada: EmailAddress

    init() async throws {
        test = try await TestFlows.make()
        ada = try #require(EmailAddress("Ada@example.com"))
    }

    /// A mail's text part, decoded from quoted-printable.
    private func text(_ mail: ReceivedMail) throws -> String {
        let part = try #require(mail.text.components(separatedBy: "Content-Type: text/plain").dropFirst().first)
        let end = try #require(part.range(of: "\r\n--=_")).lowerBound
        let begin = try #require(part.range(of: "\r\n\r\n")).upperBound
        let body = String(part[begin..<end])
        let joined = body.replacing("=\r\n", with: "")
        let encoded = joined.replacing(#/=([0-9A-F]{2})/#) { "%\($0.1)" }
        // A percent sign of the text's own would be read as one of ours.
        #expect(!joined.contains("%"))
        return try #require(encoded.removingPercentEncoding)
    }

    private func subject(_ mail: ReceivedMail) throws -> String {
        let field = try #require(mail.header("Subject"))
        return field.replacing(#/=\?utf-8\?B\?([^?]*)\?=\s*/#.ignoresCase()) { match in
            String(decoding: Data(base64Encoded: String(match.1)) ?? Data(), as: UTF8.self)
        }
    }

    private func link(_ flow: FlowID, _ kind: FlowKind) -> String {
        let token = test.secrets(of: flow, kind).linkToken.secret.revealed
        return "\(TestApp.baseURL)/apps/\(test.app.id)/links/\(token)"
    }

    /// The newest message of a kind.
    private func entry(_ kind: String) async throws -> LedgerEntry? {
        try await test.app.ledger().first { $0.kind == kind }
    }

    /// The mails that are owed now, delivered.
    private func delivered() async throws -> [ReceivedMail] {
        try await MailSink.running { sink in
            try await test.app.drainOutbox(to: sink)
            return await sink.mails()
        }
    }

    private func begin(locale: String?) async throws -> StartedFlow {
        try test.started(
            await test.flows.emailSignIn.start(
                ada, to: test.client(), locale: locale, in: test.scope, from: TestFlows.origin))
    }

    @Test(arguments: [("en", "Sign in to Test app", "10 minutes"), ("de-CH", "Anmelden bei Test app", "10 Minuten")])
    func `a sign-in by mail arrives once, with link and code, in the language of whoever asked`(
        locale: String, subject: String, life: String
    ) async throws {
        try await test.verifiedUser(ada)
        _ = try await delivered()
        let begun = try await begin(locale: locale)

        let mails = try await delivered()

        let mail = try #require(mails.first)
        #expect(mails.count == 1 && mail.recipients == ["Ada@example.com"])
        #expect(try self.subject(mail) == subject)
        let text = try text(mail)
        #expect(text.contains(link(begun.flow, .emailSignIn)) && text.contains(life))
        #expect(text.contains(test.secrets(of: begun.flow, .emailSignIn).code.revealed))
        #expect(mail.header("Auto-Submitted") == "auto-generated")
    }

    @Test func `the language of the person comes before that of the request, and the app's comes last`() async throws {
        var settings = AppSettings()
        settings.defaultLocale = "de"
        _ = try await test.scope(with: settings)
        _ = try await test.flows.signUp.start(
            ada, password: TestFlows.password, locale: "en", in: test.scope, from: TestFlows.origin)
        let grace = try #require(EmailAddress("grace@example.com"))
        _ = try await test.flows.signUp.start(
            grace, password: TestFlows.password, locale: nil, in: test.scope, from: TestFlows.origin)
        _ = try test.started(
            await test.flows.passwordReset.start(ada, locale: "de", in: test.scope, from: TestFlows.origin))

        // Another node, which has not remembered the app.
        let node = try await TestApp.elsewhere(test.app, through: TestDatabase.current.pool)
        let mails = try await MailSink.running { sink in
            try await node.drainOutbox(to: sink)
            return await sink.mails()
        }

        let subjects = Set(try mails.map { "\($0.recipients.first ?? "") \(try subject($0))" })
        #expect(
            subjects == [
                "Ada@example.com Confirm your address for Test app",
                "Ada@example.com Choose a new password for Test app",
                "grace@example.com Bestätigen Sie Ihre Adresse für Test app",
            ])
    }

    @Test func `a change of address goes to the new one, its notice to the old one, and the undoing's link is in it`()
        async throws
    {
        try await test.verifiedUser(ada)
        let asking = try await test.asking(try await test.tokens(ada))
        _ = try await delivered()
        let new = try #require(EmailAddress("Lovelace@example.org"))
        let begun = try await test.beginEmailChange(for: asking, to: new)
        let first = try #require(try await delivered().first)
        #expect(first.recipients == ["Lovelace@example.org"])
        #expect(try text(first).contains(link(begun.flow, .emailChange)))

        _ = try await test.finishEmailChange(begun)
        let second = try #require(try await delivered().first)
        #expect(second.recipients == ["Ada@example.com"])
        let undoing = try #require(try await entry("mail.email_changed")?.flowID)
        let told = try text(second)
        #expect(told.contains(link(undoing, .emailChangeUndo)) && told.contains("7 days"))
        #expect(!told.contains("Lovelace@example.org"))
    }

    @Test func `a notice of a new password has no link, and goes to no address that came later`() async throws {
        try await test.verifiedUser(ada)
        let reset = try await test.beginReset(ada)
        _ = try await test.reset(by: test.secrets(of: reset.flow, .passwordReset).linkToken)
        let notice = try #require(try await delivered().last)
        #expect(try subject(notice) == "Your password for Test app was changed")
        let told = try text(notice)
        #expect(told.contains("2026-03-02 09:00 UTC") && !told.contains("/links/"))

        test.clock.advance(by: .hours(1))
        let again = try await test.beginReset(ada)
        _ = try await test.reset(by: test.secrets(of: again.flow, .passwordReset).linkToken, to: TestFlows.password)
        test.clock.advance(by: .seconds(1))
        try await test.changeEmail(
            for: try await test.asking(try await test.tokens(ada)),
            to: try #require(EmailAddress("eve@example.org")))
        #expect(try await delivered().allSatisfy { try subject($0) != "Your password for Test app was changed" })
        let last = try #require(try await entry("mail.password_changed"))
        #expect(last.state == "obsolete" && last.reason == "address_changed")
    }

    @Test func `a mail is not sent once its purpose is gone`() async throws {
        try await test.verifiedUser(ada)
        _ = try await delivered()
        let (old, used) = (try await begin(locale: nil), try await begin(locale: nil))
        #expect(old.flow != used.flow)
        _ = try await test.finishEmailSignIn(used)
        let reset = try await test.beginReset(ada)
        let user = try #require(try await test.database.batch(in: test.scope) { $0.user(email: ada) })
        try await test.database.batch(in: test.scope) { $0.raiseEpoch(of: user.id) }

        #expect(try await delivered().isEmpty)

        let ends = try await test.app.ledger().filter { $0.state == "obsolete" }.map { ($0.flowID, $0.reason) }
        #expect(ends.contains { $0.0 == used.flow && $0.1 == "flow_passed" })
        #expect(ends.contains { $0.0 == reset.flow && $0.1 == "auth_epoch_raised" })
    }
}

import Curl
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// No worker runs, so nothing is swept: what has expired is refused all the same.
///
/// The programs take the time from the database, so here it is not the clock that moves but the moment of expiry.
@Suite("Expiry without workers", .timeLimit(.minutes(20)))
struct ExpiryTests {
    @Test func `an expired flow takes neither its link nor its code`() async throws {
        try await Installation.running { installation in
            let (app, signUp, secrets) = try await received(in: installation)
            try await installation.texts("update flows set expires_at = now() - interval '1 second'")

            #expect(try await app.verify(signUp, code: secrets.code).problem == .invalidFlow)
            #expect(try await installation.send("GET", secrets.link).status == 410)
            #expect(try await installation.click(secrets.link, cookie: signUp.cookie).status == 410)
            let verified = try await installation.count(
                "select count(*) from users where email_verified_at is not null")
            #expect(verified == 0)
        }
    }

    @Test func `expired authorization codes, refresh tokens and sessions are refused`() async throws {
        try await Installation.running { installation in
            let (app, signUp, secrets) = try await received(in: installation)
            #expect(try await app.verify(signUp, code: secrets.code).status == 200)

            let stale = try #require(try await app.signIn(signUp.email).field("code"))
            try await installation.texts("update authorization_codes set expires_at = now() - interval '1 second'")
            #expect(try await app.exchange(stale).field("error") == "invalid_grant")

            let tokens = try await session(of: signUp, in: app)
            try await installation.texts("update refresh_tokens set expires_at = now() - interval '1 second'")
            #expect(try await app.refresh(tokens.refresh).field("error") == "invalid_grant")

            for column in ["idle_expires_at", "expires_at"] {
                let tokens = try await session(of: signUp, in: app)
                #expect(try await app.asUser(tokens.access).status == 200)
                try await installation.texts("update sessions set \(column) = now() - interval '1 second'")
                #expect(try await app.asUser(tokens.access).problem == .sessionEnded)
                #expect(try await app.refresh(tokens.refresh).field("error") == "invalid_grant")
            }
        }
    }

    @Test func `a mail whose flow has ended before a worker came is obsolete and not sent`() async throws {
        try await Installation.running { installation in
            try await installation.serve()
            let app = try await installation.makeApp()
            let superseded = try await app.signUp("ada@example.com")
            // As if a worker had claimed it and died: what nobody has claimed merges with its successor.
            try await installation.texts("update outbox set claim_number = 1")
            let current = try await app.signUp("ada@example.com")
            let expired = try await app.signUp("eve@example.com")
            try await installation.texts(
                """
                update flows set expires_at = now() - interval '1 second'
                 where email = 'eve@example.com'
                """)
            let late = try await app.signUp("late@example.com")
            try await installation.texts(
                """
                update outbox set expires_at = now() - interval '1 second'
                 where flow_id = '\(late.flowUUID)'
                """)

            try await installation.work()
            try await installation.waitUntilNothingIsOwed()

            let ends = try await [superseded, current, expired, late].asyncMap { signUp in
                let ledger = try await app.ledger(of: signUp) { $0.hasEnded }
                return "\(ledger.state) \(ledger.reason)"
            }
            #expect(ends == ["obsolete flow_refused", "delivered ", "obsolete flow_expired", "expired "])
            let mails = await installation.relay.mails()
            #expect(mails.map(\.recipients) == [["ada@example.com"]])
            let secrets = try MailSecrets(try #require(mails.first))
            #expect(try await app.verify(current, code: secrets.code).status == 200)
        }
    }

    /// A sign-up whose mail has come; the worker that brought it has stopped.
    private func received(in installation: Installation) async throws -> (App, App.SignUp, MailSecrets) {
        try await installation.serve()
        let app = try await installation.makeApp()
        let worker = try await installation.work()
        let signUp = try await app.signUp("ada@example.com")
        try await installation.waitUntilNothingIsOwed()
        #expect(try await worker.terminate() == .done)
        return (app, signUp, try MailSecrets(try #require(await installation.relay.mails().first)))
    }

    private func session(of signUp: App.SignUp, in app: App) async throws -> App.Tokens {
        let code = try #require(try await app.signIn(signUp.email).field("code"))
        return try App.Tokens(try await app.exchange(code))
    }
}

extension Array {
    /// One after the other.
    fileprivate func asyncMap<Output>(_ transform: (Element) async throws -> Output) async throws -> [Output] {
        var output: [Output] = []
        for element in self { output.append(try await transform(element)) }
        return output
    }
}

import Foundation
import GatepostDev
import TestSupport
import Testing

/// A worker that the system stops for longer than its lease, and then lets go on: a suspended machine, a paused guest.
@Suite("SIGSTOP", .timeLimit(.minutes(20)))
struct PausedWorkerTests {
    @Test func `a worker stopped past its lease settles nothing: what it held is another's`() async throws {
        let script = SMTPScript { $0.stage == .rcpt && $0.connection == 1 ? .stall : .proceed }
        try await Installation.running(script: script, settings: WorkerKillTests.settings) { installation in
            try await installation.serve()
            let app = try await installation.makeApp()
            let stopped = try await installation.work()
            let signUp = try await app.signUp("ada@example.com")
            try await script.reached(.rcpt)
            stopped.signal(SIGSTOP)

            try await installation.work()
            try await installation.waitUntilNothingIsOwed()
            script.release()
            stopped.signal(SIGCONT)
            try await stopped.log(contains: "settled too late")

            let ledger = try await app.ledger(of: signUp) { $0.hasEnded }
            #expect(ledger.state == "delivered")
            #expect(ledger.attempts.map(\.outcome) == ["delivered"])
            let claims = try await installation.texts("select claim_number::text from delivery_attempts")
            #expect(claims == ["2"])
            #expect(try await installation.count("select count(*) from deliveries") == 1)
            let mails = await installation.relay.mails()
            // Its time was over before it went on; had it sent all the same, it would be the same mail.
            #expect(mails.allSatisfy { $0.bytes == mails.first?.bytes })
            #expect(mails.contains { $0.connection == 2 })
            #expect(try await stopped.terminate() == .done)
        }
    }
}

import Foundation
import GatepostDev
import Synchronization
import TestSupport
import Testing

/// What becomes of a mail whose relay refuses, drops, stalls or is away.
@Suite("A relay that fails", .timeLimit(.minutes(20)))
struct MailFaultTests {
    /// One mail may take a second here, so that a relay that stalls is given up soon.
    static let settings = ["GATEPOST_OUTBOX_LEASE_SECONDS": "4", "GATEPOST_SMTP_DEADLINE_SECONDS": "1"]
    /// Where a relay can answer with a refusal.
    static let verbs: [SMTPScript.Stage] = [.connect, .ehlo, .mail, .rcpt, .data, .finalDot]

    /// What the relay does at a stage, until it is told otherwise.
    private final class Fault: Sendable {
        private let behaviour = Mutex<SMTPScript.Behaviour>(.proceed)

        func set(_ new: SMTPScript.Behaviour) {
            behaviour.withLock { $0 = new }
        }

        func script(at stage: SMTPScript.Stage) -> SMTPScript {
            SMTPScript { [self] in $0.stage == stage ? behaviour.withLock { $0 } : .proceed }
        }
    }

    /// Runs `body` with an app whose mails meet a fault at a stage.
    private func running(
        at stage: SMTPScript.Stage, _ body: (App, Fault) async throws -> Void
    ) async throws {
        let fault = Fault()
        try await Installation.running(script: fault.script(at: stage), settings: Self.settings) { installation in
            try await installation.serve()
            try await installation.work()
            try await body(try await installation.makeApp(), fault)
        }
    }

    @Test(arguments: verbs)
    func `4xx at any verb is tried again, 5xx ends the message, both with the relay's own words`(
        stage: SMTPScript.Stage
    ) async throws {
        try await running(at: stage) { app, fault in
            fault.set(.reply(451, "4.7.1 come back later"))
            let later = try await app.signUp("later@example.com")
            let refused = try await app.ledger(of: later) { !$0.attempts.isEmpty }
            #expect(refused.state == "waiting")
            let expected = Ledger.Attempt(outcome: "transient", code: 451, reply: "4.7.1 come back later")
            #expect(refused.attempts.first == expected)

            fault.set(.reply(554, "5.7.1 not from you"))
            let never = try await app.signUp("never@example.com")
            let rejected = try await app.ledger(of: never) { $0.hasEnded }
            #expect(rejected.state == "rejected")
            #expect(rejected.attempts == [Ledger.Attempt(outcome: "permanent", code: 554, reply: "5.7.1 not from you")])

            fault.set(.proceed)
            // The first one's pause may have ended while the relay still said 554; it is let off then.
            let delivered = try await app.ledger(of: later) { $0.hasEnded }
            #expect(["delivered", "rejected"].contains(delivered.state))
            let mails = await app.installation.relay.mails().map(\.recipients)
            #expect(mails == (delivered.state == "delivered" ? [["later@example.com"]] : []))
        }
    }

    @Test(arguments: verbs.dropLast())
    func `a connection that is dropped before the final dot is tried again`(stage: SMTPScript.Stage) async throws {
        try await running(at: stage) { app, fault in
            fault.set(.close)
            let signUp = try await app.signUp("ada@example.com")
            let dropped = try await app.ledger(of: signUp) { !$0.attempts.isEmpty }
            #expect(dropped.state == "waiting" && dropped.attempts.first?.outcome == "transient")
            #expect(dropped.attempts.first?.code == nil)

            fault.set(.proceed)
            let delivered = try await app.ledger(of: signUp) { $0.hasEnded }
            #expect(delivered.state == "delivered")
            #expect(await app.installation.relay.mails().count == 1)
        }
    }

    @Test(arguments: [SMTPScript.Behaviour.closeAfterAccepting, .stallAfterAccepting])
    func `after the final dot nobody knows, so the same mail is sent again`(
        behaviour: SMTPScript.Behaviour
    ) async throws {
        try await running(at: .finalDot) { app, fault in
            fault.set(behaviour)
            let signUp = try await app.signUp("ada@example.com")
            let unknown = try await app.ledger(of: signUp) { !$0.attempts.isEmpty }
            #expect(unknown.state == "waiting" && unknown.attempts.first?.outcome == "indeterminate")

            fault.set(.proceed)
            let delivered = try await app.ledger(of: signUp) { $0.hasEnded }
            #expect(delivered.state == "delivered")
            #expect(delivered.attempts.map(\.outcome) == ["indeterminate", "delivered"])
            let mails = await app.installation.relay.mails()
            #expect(mails.count == 2 && mails.first?.bytes == mails.last?.bytes)
            let messageID = try #require(mails.first?.header("Message-ID"))
            #expect(mails.last?.header("Message-ID") == messageID)
        }
    }

    @Test func `a relay that is down is tried again until it is up`() async throws {
        let port = try await Installation.freePort()
        let settings = Self.settings.merging(["GATEPOST_SMTP_URL": "smtp://127.0.0.1:\(port)"]) { $1 }
        try await Installation.running(settings: settings) { installation in
            try await installation.serve()
            try await installation.work()
            let app = try await installation.makeApp()
            let signUp = try await app.signUp("ada@example.com")
            let refused = try await app.ledger(of: signUp) { !$0.attempts.isEmpty }
            #expect(refused.state == "waiting")
            #expect(refused.attempts.first?.outcome == "transient" && refused.attempts.first?.code == nil)

            let relay = try await SMTPServer.start(port: port)
            let delivered = try await app.ledger(of: signUp) { $0.hasEnded }
            await relay.stop()
            #expect(delivered.state == "delivered")
            #expect(await relay.mails().count == 1)
        }
    }

    @Test func `of many mails a few find out that the relay is down, and all come when it is back`() async throws {
        let port = try await Installation.freePort()
        let settings = Self.settings.merging(["GATEPOST_SMTP_URL": "smtp://127.0.0.1:\(port)"]) { $1 }
        try await Installation.running(settings: settings) { installation in
            try await installation.serve()
            let app = try await installation.makeApp()
            for number in 1...30 { _ = try await app.signUp("person\(number)@example.com") }
            let worker = try await installation.work()
            try await worker.log(contains: "a destination fails, its messages wait")
            let untried = "select count(*) from outbox where attempt_count = 0 and not ready"
            // As many as the worker has slots may be under way when the fifth fails.
            try await eventually("the others wait") {
                try await installation.count(untried) > 0 ? () : nil
            }

            let relay = try await SMTPServer.start(port: port)
            try await installation.waitUntilNothingIsOwed(within: .seconds(180))
            await relay.stop()
            let recipients = Set(await relay.mails().flatMap(\.recipients))
            #expect(recipients.count == 30)
            #expect(await relay.mails().count == 30)
            try await worker.log(contains: "a destination works again")
            #expect(worker.errors.components(separatedBy: "a destination fails").count == 2, "said once")
        }
    }

    @Test func `a slow relay is waited for, one that stalls is given up and tried again`() async throws {
        try await running(at: .rcpt) { app, fault in
            fault.set(.delay(.milliseconds(200)))
            let slow = try await app.signUp("slow@example.com")
            let late = try await app.ledger(of: slow) { $0.hasEnded }
            #expect(late.attempts.map(\.outcome) == ["delivered"])

            fault.set(.stall)
            let stalled = try await app.signUp("stalled@example.com")
            let given = try await app.ledger(of: stalled) { !$0.attempts.isEmpty }
            #expect(given.state == "waiting" && given.attempts.first?.outcome == "transient")
            fault.set(.proceed)
            let delivered = try await app.ledger(of: stalled) { $0.hasEnded }
            #expect(delivered.state == "delivered")
        }
    }

    @Test func `a sign-up neither waits for the relay nor notices what is wrong with it`() async throws {
        let settings = ["GATEPOST_SMTP_DEADLINE_SECONDS": "300", "GATEPOST_OUTBOX_LEASE_SECONDS": "900"]
        let fault = Fault()
        try await Installation.running(script: fault.script(at: .mail), settings: settings) { installation in
            try await installation.serve()
            try await installation.work()
            let app = try await installation.makeApp()
            // The first one warms the server up.
            _ = try await app.signUp("warm@example.com")
            let free = try await medianTime(of: app, "free")
            try await installation.waitUntilNothingIsOwed()

            let count = installation.relay.script.count(.mail)
            fault.set(.stall)
            let stuck = try await app.signUp("stuck@example.com")
            try await installation.relay.script.reached(.mail, count: count + 1)
            let stalled = try await medianTime(of: app, "stalled")

            #expect(installation.relay.script.stalledCount > 0, "the relay was to stand still all the while")
            let waiting = try await app.ledger(of: stuck) { _ in true }
            #expect(waiting.attempts.isEmpty)
            #expect(stalled < free * 4 + .milliseconds(500), "\(stalled) beside \(free)")
        }
    }

    /// The median time of a sign-up, each of which must be answered as ever.
    private func medianTime(of app: App, _ name: String) async throws -> Duration {
        var times: [Duration] = []
        for number in 1...9 {
            times.append(
                try await ContinuousClock().measure { _ = try await app.signUp("\(name)\(number)@example.com") })
        }
        return times.sorted()[times.count / 2]
    }
}

/// What the ledger says of one message.
struct Ledger: Sendable {
    struct Attempt: Sendable, Equatable {
        let outcome: String
        let code: Int?
        let reply: String
    }

    let state: String
    let reason: String
    let attempts: [Attempt]

    var hasEnded: Bool { !["owed", "waiting", "held"].contains(state) }
}

extension App {
    /// Waits until what the ledger says of a sign-up's mail satisfies a condition.
    func ledger(of signUp: SignUp, until isReached: (Ledger) -> Bool) async throws -> Ledger {
        var last: Ledger?
        do {
            return try await eventually("the mail of \(signUp.email) comes so far") {
                last = try await ledger(of: signUp)
                return last.flatMap { isReached($0) ? $0 : nil }
            }
        } catch {
            Issue.record("the ledger says \(String(describing: last))")
            throw error
        }
    }

    private func ledger(of signUp: SignUp) async throws -> Ledger? {
        let ofFlow = "app_id = '\(uuid)' and flow_id = '\(signUp.flowUUID)'"
        // One look at both: a settlement may come between two.
        let lines = try await installation.texts(
            """
            select state || ' ' || coalesce(reason, '') from ledger where \(ofFlow)
            union all
            (select concat_ws(' ', outcome, coalesce(code::text, '-'), reply) from delivery_attempts
              where app_id = '\(uuid)' and message_id in (select id from ledger where \(ofFlow)) order by ended_at)
            """)
        guard let entry = lines.first?.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false) else {
            return nil
        }
        return Ledger(
            state: String(entry[0]), reason: String(entry[1]),
            attempts: lines.dropFirst().map { line in
                let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
                return Ledger.Attempt(outcome: words[0], code: Int(words[1]), reply: words[2])
            })
    }
}

import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import TestSupport
import Testing

/// A password that another service has leaked, wherever one is chosen.
@Suite("Leaked passwords", .showsSeed, .timeLimit(.minutes(5)))
struct LeakedPasswordTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    private func expectBreached(
        _ refusal: Refusal?, location: Testing.SourceLocation = #_sourceLocation
    ) {
        #expect(refusal?.code == .weakPassword, sourceLocation: location)
        #expect(refusal?.detailCode == "breached", sourceLocation: location)
    }

    private func start(_ test: TestFlows, _ password: Secret = LeakServer.leaked) async throws -> Refusal? {
        try await test.flows.signUp.start(ada, password: password, in: test.scope, from: TestFlows.origin).refusal
    }

    @Test func `a sign-up with it is refused, and one with another password is not`() async throws {
        try await LeakServer.running { leaks, port in
            let test = try await TestFlows.make(passwordRange: port)
            try await test.expectRefusal(.signUpRefused, "weak_password", alsoChanging: ["rate_limits"]) {
                expectBreached(try await start(test))
            }
            #expect(try await start(test, TestFlows.password) == nil)
            #expect(leaks.askedCount == 2)
        }
    }

    @Test func `neither the password nor its hash is in what is sent`() async throws {
        try await LeakServer.running { leaks, port in
            let test = try await TestFlows.make(passwordRange: port)
            _ = try await start(test)
            let sent = leaks.sink.requests.map { request in
                "\(request.target) \(request.headers) \(String(decoding: request.body, as: UTF8.self))"
            }
            #expect(sent.count == 1)
            for text in sent {
                #expect(text.contains(#/^/range/[0-9A-F]{5} /#))
                #expect(!text.contains(/[0-9A-Fa-f]{6}/) && !text.contains("heron"))
            }
        }
    }

    @Test func `letters that a keyboard composes otherwise are the same password`() async throws {
        let (composed, decomposed) = ("caf\u{E9} without a roof in spring", "cafe\u{301} without a roof in spring")
        try await LeakServer.running(knowing: Secret(composed)) { _, port in
            let test = try await TestFlows.make(passwordRange: port)
            expectBreached(try await start(test, Secret(decomposed)))
        }
    }

    @Test func `an entry that only pads the answer is no leak`() async throws {
        try await LeakServer.running(seen: 0) { leaks, port in
            let test = try await TestFlows.make(passwordRange: port)
            #expect(try await start(test) == nil)
            #expect(leaks.askedCount == 1)
        }
    }

    @Test func `a server that does not answer, or not so, keeps nobody out`() async throws {
        let answers: [[HTTPSink.Step]] = [
            [.close], HTTPSink.answer(503), HTTPSink.answer(200, "<html>"), HTTPSink.answer(302), [.stall],
        ]
        for answer in answers {
            try await LeakServer.running(deadline: .seconds(1), answer: { answer }) { leaks, port in
                let test = try await TestFlows.make(passwordRange: port)
                #expect(try await start(test) == nil)
                #expect(leaks.askedCount == 1)
            }
        }
    }

    @Test func `a weak password or a spent limit asks nobody`() async throws {
        try await LeakServer.running { leaks, port in
            let test = try await TestFlows.make(passwordRange: port)
            #expect(try await start(test, Secret("short"))?.detailCode == "too_short")
            #expect(leaks.askedCount == 0)
            for _ in 0..<5 { #expect(try await start(test, TestFlows.password) == nil) }
            #expect(try await start(test)?.code == .rateLimited)
            #expect(leaks.askedCount == 5)
        }
    }

    @Test func `whoever opens a verification link elsewhere cannot choose it`() async throws {
        try await LeakServer.running { _, port in
            let test = try await TestFlows.make(passwordRange: port)
            let link = try test.link(of: try await test.signUp(ada).flow)
            func choose(_ password: Secret) async throws -> VerificationFlow.Outcome {
                try await test.flows.verification.confirm(
                    link, choosing: password, in: test.scope, from: TestFlows.origin)
            }
            expectBreached(try await choose(LeakServer.leaked).refusal)
            #expect(try await choose(TestFlows.newPassword).verifiedUser != nil)
        }
    }

    @Test func `a reset, by link or by code, cannot choose it, and loses no try`() async throws {
        try await LeakServer.running { leaks, port in
            let test = try await TestFlows.make(passwordRange: port)
            try await test.verifiedUser(ada)
            let begun = try await test.beginReset(ada)
            let secrets = test.secrets(of: begun.flow, .passwordReset)
            func byCode(_ password: Secret, heldBy token: OneTimeToken) async throws -> Refusal? {
                try await test.flows.passwordReset.confirm(
                    begun.flow, heldBy: token, code: secrets.code.revealed, choosing: password, in: test.scope,
                    from: TestFlows.origin
                ).refusal
            }
            expectBreached(try await test.reset(by: secrets.linkToken, to: LeakServer.leaked).refusal)
            for _ in 0..<6 { expectBreached(try await byCode(LeakServer.leaked, heldBy: begun.token)) }
            let asked = leaks.askedCount
            let stranger = OneTimeToken.make(.flow, random: test.app.random)
            #expect(try await byCode(LeakServer.leaked, heldBy: stranger)?.code == .invalidFlow)
            #expect(leaks.askedCount == asked)
            #expect(try await byCode(TestFlows.newPassword, heldBy: begun.token) == nil)
        }
    }

    @Test func `a change of the password cannot choose it`() async throws {
        try await LeakServer.running { _, port in
            let test = try await TestFlows.make(passwordRange: port)
            try await test.verifiedUser(ada)
            let asking = try await test.asking(try await test.tokens(ada))
            func change(to password: Secret) async throws -> Refusal? {
                try await test.flows.passwordChange.change(
                    for: asking, current: TestFlows.password, to: password, endsOthers: true, in: test.scope,
                    from: TestFlows.origin)
            }
            expectBreached(try await change(to: LeakServer.leaked))
            #expect(try await change(to: TestFlows.newPassword) == nil)
        }
    }

    @Test func `taking a change of address back cannot choose it`() async throws {
        try await LeakServer.running { _, port in
            let test = try await TestFlows.make(passwordRange: port)
            try await test.verifiedUser(ada)
            let asking = try await test.asking(try await test.tokens(ada))
            try await test.changeEmail(for: asking, to: .of("ada@example.org"))
            let flow = try await test.app.ledger().first { $0.kind == "mail.email_changed" }?.flowID
            let link = test.secrets(of: try #require(flow), .emailChangeUndo).linkToken
            expectBreached(try await test.undo(by: link, choosing: LeakServer.leaked).refusal)
            #expect(try await test.undo(by: link).email == "ada@example.com")
        }
    }
}

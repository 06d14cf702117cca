import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import TestSupport
import Testing

/// The notices of identities: whoever links a way into an account, or takes one away, is seen by its owner.
@Suite("Notices of identities", .showsSeed)
struct IdentityNoticeTests {
    private let ada = "ada@example.com"

    private func running(_ body: (ProviderWorld) async throws -> Void) async throws {
        try await ProviderWorld.running { world async throws in
            try await world.test.verifiedUser(try #require(EmailAddress(ada)))
            _ = try await delivered(world)
            try await body(world)
        }
    }

    private func delivered(_ world: ProviderWorld) async throws -> [ReceivedMail] {
        try await MailSink.running { sink in
            try await world.test.app.drainOutbox(to: sink)
            return await sink.mails()
        }
    }

    private func kinds(_ world: ProviderWorld) async throws -> [String] {
        try await world.test.app.ledger().map(\.kind).filter { $0.contains("identity") }
    }

    private func link(_ world: ProviderWorld, by tokens: BrowserTokens) async throws {
        let way = try await world.begin(.link(try await world.asking(tokens)), by: tokens)
        #expect(try await world.finish(at: way.location, by: tokens).isLinked)
    }

    @Test func `linking is told to the account's address, once, without a link`() async throws {
        try await running { world async throws in
            world.provider.behave { $0.email = "someone@elsewhere.example" }
            let tokens = try await world.hosted(ada)
            for _ in 1...2 { try await link(world, by: tokens) }

            let mails = try await delivered(world)

            let mail = try #require(mails.first)
            #expect(mails.count == 1 && mail.recipients == [ada])
            #expect(mail.header("Subject") == "OpenID signs you in to Test app from now on")
            #expect(mail.text.contains("2026-03-02 09:00 UTC") && !mail.text.contains("/links/"))
            #expect(try await kinds(world) == ["mail.identity_linked"])
        }
    }

    @Test func `unlinking is told; what was refused is not`() async throws {
        try await running { world async throws in
            let tokens = try await world.hosted(ada)
            try await link(world, by: tokens)
            _ = try await delivered(world)
            let asking = try await world.asking(tokens)
            let identities = try await world.test.flows.identities.identities(of: asking.user.id, in: world.test.scope)
            let identity = try #require(identities.first)
            for expected in [nil, ProblemCode.notFound] {
                let refusal = try await world.test.flows.identities.unlink(
                    identity.id, of: asking.user.id, session: asking.session, in: world.test.scope,
                    from: TestFlows.origin)
                #expect(refusal?.code == expected)
            }

            let mails = try await delivered(world)

            #expect(mails.map(\.recipients) == [[ada]])
            #expect(mails.first?.header("Subject") == "OpenID no longer signs you in to Test app")
        }
    }

    @Test func `what waited for a sign-in and was linked by it is told; an account that it opened is not`() async throws
    {
        try await running { world async throws in
            // The address has an account: its owner signs in, for the same request and in the same browser.
            world.provider.behave { $0.email = ada }
            let way = try await world.begin()
            guard case .accountNeeded = try await world.finish(way) else {
                Issue.record("an account was not asked for")
                return
            }
            let outcome = try await world.test.flows.signIn.signIn(
                try #require(EmailAddress(ada)), password: TestFlows.password, for: way.request, by: way.tokens,
                in: world.test.scope, from: TestFlows.origin)
            guard case .ended = outcome else {
                Issue.record("it was refused")
                return
            }
            #expect(try await delivered(world).map(\.recipients) == [[ada]])

            world.provider.behave { ($0.email, $0.subject) = ("grace@example.com", "subject-2") }
            #expect(try await world.signIn().answer != nil)
            #expect(try await delivered(world).isEmpty)
            #expect(try await kinds(world) == ["mail.identity_linked"])
        }
    }

    @Test func `an address that came after the linking is told nothing`() async throws {
        try await running { world async throws in
            let tokens = try await world.hosted(ada)
            try await link(world, by: tokens)
            world.test.clock.advance(by: .seconds(1))
            let session = try await world.test.tokens(try #require(EmailAddress(ada)))
            try await world.test.changeEmail(
                for: try await world.test.asking(session), to: try #require(EmailAddress("eve@example.org")))

            let subjects = try await delivered(world).compactMap { $0.header("Subject") }

            #expect(subjects.allSatisfy { !$0.contains("OpenID") })
            let notice = try #require(try await world.test.app.ledger().first { $0.kind == "mail.identity_linked" })
            #expect(notice.state == "obsolete" && notice.reason == "address_changed")
        }
    }
}

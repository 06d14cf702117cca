import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// What binds an answer to its way: once, here, for this provider, while everything is switched on.
@Suite("A provider's answer")
struct ProviderStateTests {
    @Test func `a state works once (abuse case 22, CVE-2025-46815)`() async throws {
        try await ProviderWorld.running { world async throws in
            let way = try await world.begin()
            let parameters = world.provider.signIn(at: way.location)
            #expect(try await world.finish(way, with: parameters).answer != nil)
            #expect(try await world.finish(way, with: parameters).refusal?.code == .invalidProviderAnswer)
            var fresh = world.provider.signIn(at: way.location)
            fresh["state"] = parameters["state"]
            #expect(try await world.finish(way, with: fresh).refusal?.code == .invalidProviderAnswer)
        }
    }

    @Test func `another browser, or none, uses nothing up`() async throws {
        try await ProviderWorld.running { world async throws in
            let way = try await world.begin()
            let parameters = world.provider.signIn(at: way.location)
            let other = OneTimeToken.make(.browser, random: world.test.app.random)
            #expect(
                try await world.finish(way, with: parameters, browser: other).refusal?.code == .invalidProviderAnswer)
            #expect(world.provider.lastToken == nil)
            #expect(try await world.finish(way, with: parameters).answer != nil)
        }
    }

    @Test func `a state of one provider is none of another's`() async throws {
        try await ProviderWorld.running { world async throws in
            try await world.test.app.addProvider("second", issuer: "\(world.issuer)/second")
            let way = try await world.begin()
            let parameters = world.provider.signIn(at: way.location)
            #expect(
                try await world.finish(way, with: parameters, name: "second").refusal?.code == .invalidProviderAnswer)
            #expect(try await world.finish(way, with: parameters).answer != nil)
        }
    }

    @Test func `a state that was made up, is missing or too old gets nowhere`() async throws {
        try await ProviderWorld.running { world async throws in
            let way = try await world.begin()
            let parameters = world.provider.signIn(at: way.location)
            for state in [
                "", "gps_short", OneTimeToken.make(.providerState, random: world.test.app.random).secret.revealed,
            ] {
                var changed = parameters
                changed["state"] = state
                #expect(try await world.finish(way, with: changed).refusal?.code == .invalidProviderAnswer)
            }
            world.test.clock.advance(by: .minutes(10))
            #expect(try await world.finish(way, with: parameters).refusal?.code == .invalidProviderAnswer)
            #expect(try await world.isUntouched())
        }
    }

    @Test func `what the provider declines is over, and the request still waits`() async throws {
        try await ProviderWorld.running { world async throws in
            let way = try await world.begin()
            let state = TestProvider.query(of: way.location)["state"] ?? ""
            let declined = try await world.finish(way, with: ["state": state, "error": "access_denied"])
            #expect(declined.refusal?.code == .invalidProviderAnswer)
            #expect(try await world.refusalReasons() == ["provider_declined"])
            #expect(try await world.finish(try await world.begin(way.request, way.browser)).answer != nil)
        }
    }

    @Test func `a provider that was disabled is refused at the start and at the way back (abuse case 21)`() async throws
    {
        try await ProviderWorld.running { world async throws in
            #expect(try await world.signIn().answer != nil)
            let way = try await world.begin()
            var change = IdentityProviderChange()
            change.isEnabled = false
            try await world.test.database.batch(in: world.test.scope) { [change] batch in
                batch.changeIdentityProvider(world.id, change, at: world.test.clock.now)
            }
            #expect(try await world.finish(way).refusal?.code == .providerDisabled)
            let (request, browser) = try await world.test.app.waitingRequest()
            guard case .refused(let refusal) = try await world.start(request, browser) else {
                Issue.record("it began")
                return
            }
            #expect(refusal.code == .providerDisabled)
        }
    }

    @Test func `a user who was deactivated does not come in this way (abuse case 25)`() async throws {
        try await ProviderWorld.running { world async throws in
            let answer = try #require(try await world.signIn().answer)
            let tokens = try #require(try await world.test.exchange(answer.code))
            let user = try #require(try await world.test.session(tokens)?.user.id)
            _ = try await world.test.database.batch(in: world.test.scope) { batch in
                batch.deactivateUser(user, at: world.test.clock.now)
            }
            #expect(try await world.signIn().refusal?.code == .userDeactivated)
        }
    }

    @Test func `a request of another browser, or one that was answered, begins nothing`() async throws {
        try await ProviderWorld.running { world async throws in
            let (request, browser) = try await world.test.app.waitingRequest()
            let other = OneTimeToken.make(.browser, random: world.test.app.random)
            for (holder, what) in [(other, "another browser"), (browser, "answered")] {
                if what == "answered" { #expect(try await world.finish(world.begin(request, browser)).answer != nil) }
                guard case .refused(let refusal) = try await world.start(request, holder) else {
                    Issue.record("\(what) began")
                    continue
                }
                #expect(refusal.code == .invalidAuthorizationRequest, "\(what)")
            }
        }
    }

    @Test func `of twenty callbacks with one state one signs in, thirty times`() async throws {
        try await ProviderWorld.running { world async throws in
            for round in 1...Race.rounds {
                let subject = "subject-\(round)"
                world.provider.behave { ($0.subject, $0.email) = (subject, "\(subject)@example.com") }
                let way = try await world.begin()
                let winners = try await winners(of: 20, way, in: world)
                #expect(winners == 1, "round \(round)")
                #expect(world.provider.refusals.isEmpty, "the code was sent twice")
            }
            #expect(try await world.identities().count == Race.rounds)
        }
    }

    private func winners(of count: Int, _ way: ProviderWorld.Way, in world: ProviderWorld) async throws -> Int {
        let parameters = world.provider.signIn(at: way.location)
        let outcomes = try await race(count) { try await world.finish(way, with: parameters).answer != nil }
        return outcomes.count { $0 }
    }
}

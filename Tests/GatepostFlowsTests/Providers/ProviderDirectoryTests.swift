import GatepostFlows
import GatepostModel
import TestSupport
import Testing

/// What is asked of a provider, and how often.
@Suite("What is remembered of providers")
struct ProviderDirectoryTests {
    private static let discovery = "/.well-known/openid-configuration"

    private func count(_ path: String, in world: ProviderWorld) -> Int {
        world.sink.requests.count { $0.target == path }
    }

    @Test func `document and keys are asked for once an hour`() async throws {
        try await ProviderWorld.running { world async throws in
            for _ in 1...3 { #expect(try await world.signIn().answer != nil) }
            #expect(count(Self.discovery, in: world) == 1 && count("/keys", in: world) == 1)
            world.test.clock.advance(by: .minutes(61))
            #expect(try await world.signIn().answer != nil)
            #expect(count(Self.discovery, in: world) == 2 && count("/keys", in: world) == 2)
        }
    }

    @Test func `made-up key ids cause no storm: the keys are asked for once a minute at most`() async throws {
        try await ProviderWorld.running { world async throws in
            #expect(try await world.signIn().answer != nil)
            world.provider.behave { $0.signing = .unknownKey }
            for _ in 1...10 { #expect(try await world.signIn().refusal?.code == .invalidProviderAnswer) }
            #expect(count("/keys", in: world) == 1)
            world.test.clock.advance(by: .seconds(60))
            for _ in 1...10 { #expect(try await world.signIn().refusal?.code == .invalidProviderAnswer) }
            #expect(count("/keys", in: world) == 2)
        }
    }

    @Test func `a provider that is down is asked every few seconds, and what is known serves on for a day`()
        async throws
    {
        try await ProviderWorld.running { world async throws in
            #expect(try await world.signIn().answer != nil)
            world.provider.behave { behaviour in
                for path in [Self.discovery, "/keys"] { behaviour.answers[path] = HTTPSink.answer(503) }
            }
            world.test.clock.advance(by: .hours(2))
            for _ in 1...5 { #expect(try await world.signIn().answer != nil) }
            #expect(count(Self.discovery, in: world) == 2)
            world.test.clock.advance(by: .hours(23))
            let (request, browser) = try await world.test.app.waitingRequest()
            for _ in 1...5 {
                guard case .refused(let refusal) = try await world.start(request, browser) else {
                    Issue.record("it began")
                    return
                }
                #expect(refusal.code == .providerUnavailable)
            }
            #expect(count(Self.discovery, in: world) == 3)
        }
    }

    @Test func `many who want the same document at once share one request`() async throws {
        try await ProviderWorld.running { world async throws in
            let ways = try await starts(20, in: world)
            #expect(ways == 20)
            #expect(count(Self.discovery, in: world) == 1)
        }
    }

    private func starts(_ count: Int, in world: ProviderWorld) async throws -> Int {
        try await race(count) {
            _ = try await world.begin()
            return true
        }.count
    }
}

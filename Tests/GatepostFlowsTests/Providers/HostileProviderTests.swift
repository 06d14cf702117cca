import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// A provider that lies, or somebody between it and us: nobody is signed in, and the trail says why.
@Suite("Hostile provider")
struct HostileProviderTests {
    /// Lets a provider behave as told, goes there and back, and expects a refusal with this reason and nothing written.
    private func expectRefused(
        _ reason: String, _ code: ProblemCode = .invalidProviderAnswer,
        location: Testing.SourceLocation = #_sourceLocation,
        _ behaviour: @escaping @Sendable (inout TestProvider.Behaviour) -> Void
    ) async throws {
        try await ProviderWorld.running { world async throws in
            world.provider.behave(behaviour)
            let outcome = try await world.signIn()
            #expect(outcome.refusal?.code == code, sourceLocation: location)
            #expect(try await world.refusalReasons() == [reason], sourceLocation: location)
            #expect(try await world.isUntouched(), sourceLocation: location)
        }
    }

    @Test func `a token of another issuer gets nowhere (abuse case 18, CVE-2026-31813)`() async throws {
        try await expectRefused("id_token_issuer") { $0.claims["iss"] = .text("https://evil.example") }
    }

    @Test func `an issuer that differs by a slash is another issuer`() async throws {
        try await ProviderWorld.running { world async throws in
            let issuer = world.issuer + "/"
            world.provider.behave { $0.claims["iss"] = .text(issuer) }
            #expect(try await world.signIn().refusal?.code == .invalidProviderAnswer)
            #expect(try await world.refusalReasons() == ["id_token_issuer"])
        }
    }

    @Test func `a token for another client gets nowhere`() async throws {
        try await expectRefused("id_token_audience") { $0.claims["aud"] = .text("somebody-else") }
    }

    @Test func `a token for two audiences that was issued to the other one gets nowhere`() async throws {
        try await expectRefused("id_token_party") {
            $0.claims["aud"] = .list([TestProvider.clientID, "somebody-else"])
            $0.claims["azp"] = .text("somebody-else")
        }
        try await expectRefused("id_token_party") { $0.claims["aud"] = .list([TestProvider.clientID, "other"]) }
    }

    @Test func `a token with another nonce, or none, gets nowhere`() async throws {
        try await expectRefused("id_token_nonce") { $0.claims["nonce"] = .text("another") }
        try await expectRefused("id_token_nonce") { $0.claims.updateValue(nil, forKey: "nonce") }
    }

    @Test func `an unsigned token gets nowhere`() async throws {
        try await expectRefused("id_token_algorithm") { $0.signing = .none }
    }

    @Test func `HS256 with the public key as the secret gets nowhere`() async throws {
        try await expectRefused("id_token_algorithm") { $0.signing = .hmacWithPublicKey }
    }

    @Test func `an algorithm that the key is not for gets nowhere`() async throws {
        try await expectRefused("id_token_algorithm") { $0.header["alg"] = "RS256" }
        try await expectRefused("id_token_algorithm") { $0.header["alg"] = "ES384" }
    }

    @Test func `a key of somebody else's under the published id gets nowhere`() async throws {
        try await expectRefused("id_token_signature") { $0.signing = .foreignKey }
    }

    @Test func `a key that nobody published gets nowhere, whatever the token brings along`() async throws {
        try await expectRefused("id_token_key") { $0.signing = .unknownKey }
        try await expectRefused("id_token_key") {
            $0.signing = .unknownKey
            $0.header["jku"] = "http://127.0.0.1:1/keys"
        }
    }

    @Test func `a token that was changed after it was signed gets nowhere`() async throws {
        try await expectRefused("id_token_signature") { $0.signing = .tampered }
    }

    @Test func `an expired token gets nowhere, nor one of long ago or of the future`() async throws {
        let now = TestClock.start.seconds
        try await expectRefused("id_token_expired") { $0.claims["exp"] = .number(now - 31) }
        try await expectRefused("id_token_issued_at") { $0.claims["iat"] = .number(now - 3600) }
        try await expectRefused("id_token_issued_at") { $0.claims["iat"] = .number(now + 3600) }
    }

    @Test func `a token of another kind, or without a subject, gets nowhere`() async throws {
        try await expectRefused("id_token_malformed") { $0.header["typ"] = "at+jwt" }
        try await expectRefused("id_token_subject") { $0.claims["sub"] = .text("") }
        try await expectRefused("id_token_malformed") { $0.signing = .given("no.token") }
    }

    @Test func `another person's token from the same provider gets nowhere`() async throws {
        try await ProviderWorld.running { world async throws in
            #expect(try await world.signIn().answer != nil)
            let stolen = try #require(world.provider.lastToken)
            world.provider.behave { $0.signing = .given(stolen) }
            #expect(try await world.signIn().refusal?.code == .invalidProviderAnswer)
            #expect(try await world.refusalReasons() == ["id_token_nonce"])
        }
    }

    @Test func `a code of another way gets nowhere: the verifier is not its own`() async throws {
        try await ProviderWorld.running { world async throws in
            let (mine, theirs) = (try await world.begin(), try await world.begin())
            let code = world.provider.signIn(at: theirs.location)["code"]
            let state = TestProvider.query(of: mine.location)["state"]
            let outcome = try await world.finish(mine, with: ["state": state ?? "", "code": code ?? ""])
            #expect(outcome.refusal?.code == .invalidProviderAnswer)
            #expect(world.provider.refusals == ["wrong verifier"])
        }
    }

    @Test func `a code of another issuer gets nowhere: it names who gave it (RFC 9207)`() async throws {
        try await ProviderWorld.running { world async throws in
            let way = try await world.begin()
            var parameters = world.provider.signIn(at: way.location)
            parameters["iss"] = "https://evil.example"
            #expect(try await world.finish(way, with: parameters).refusal?.code == .invalidProviderAnswer)
            #expect(try await world.refusalReasons() == ["provider_issuer"])
            #expect(world.provider.lastToken == nil, "the code must not be sent anywhere")
        }
    }

    @Test func `a provider that promises to name itself, and does not, gets nowhere`() async throws {
        try await expectRefused("provider_issuer") {
            $0.document["authorization_response_iss_parameter_supported"] = .truth(true)
        }
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// What a provider publishes, fetched from somewhere that may be anywhere (abuse case 29): nothing is sent on.
@Suite("A provider's documents", .timeLimit(.minutes(5)))
struct ProviderNetworkTests {
    private static let discovery = "/.well-known/openid-configuration"

    /// Expects that no way begins, and why not.
    private func expectNoStart(
        _ reason: String, _ code: ProblemCode, port: ProviderPort? = nil,
        location: Testing.SourceLocation = #_sourceLocation,
        _ behaviour: @escaping @Sendable (inout TestProvider.Behaviour) -> Void
    ) async throws {
        try await ProviderWorld.running(port: port) { world async throws in
            world.provider.behave(behaviour)
            let (request, browser) = try await world.test.app.waitingRequest()
            guard case .refused(let refusal) = try await world.start(request, browser) else {
                Issue.record("it began", sourceLocation: location)
                return
            }
            #expect(refusal.code == code, sourceLocation: location)
            let reasons = try await world.refusalReasons()
            #expect(reasons.count == 1 && reasons.allSatisfy { $0.hasPrefix(reason) }, sourceLocation: location)
        }
    }

    @Test func `a document that names another issuer is none`() async throws {
        try await expectNoStart("provider_issuer", .invalidProviderAnswer) {
            $0.document["issuer"] = .text("https://evil.example")
        }
    }

    @Test func `a document that is no JSON, or sends people elsewhere than to the web, is none`() async throws {
        try await expectNoStart("provider_malformed_discovery", .invalidProviderAnswer) {
            $0.answers[Self.discovery] = HTTPSink.answer(200, "<html>")
        }
        for url in ["javascript:alert(1)", "https://user@example.com/", "file:///etc/passwd", "//example.com", ""] {
            for member in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
                try await expectNoStart("provider_malformed_discovery", .invalidProviderAnswer) {
                    $0.document[member] = .text(url)
                }
            }
        }
    }

    @Test func `an oversize document is not read`() async throws {
        try await expectNoStart("provider_unreachable", .providerUnavailable) {
            $0.answers[Self.discovery] = [
                .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                .endless("1000\r\n" + String(repeating: " ", count: 4096) + "\r\n"),
            ]
        }
    }

    @Test func `a slow document is given up`() async throws {
        let port = try ProviderPort.loopback(deadline: ProviderRequest.deadline)
        try await expectNoStart("provider_unreachable", .providerUnavailable, port: port) {
            $0.answers[Self.discovery] = [.text("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"), .stall]
        }
    }

    @Test func `a document that moves is not followed`() async throws {
        try await expectNoStart("provider_status_302", .invalidProviderAnswer) {
            $0.answers[Self.discovery] = HTTPSink.answer(302, headers: ["Location: /elsewhere"])
        }
    }

    @Test func `a key set that moves is not followed, and signs nobody in`() async throws {
        try await ProviderWorld.running { world async throws in
            world.provider.behave { $0.answers["/keys"] = HTTPSink.answer(307, headers: ["Location: /other-keys"]) }
            #expect(try await world.signIn().refusal?.code == .invalidProviderAnswer)
            #expect(try await world.refusalReasons() == ["provider_status_307"])
            #expect(!world.sink.requests.contains { $0.target == "/other-keys" })
            #expect(try await world.isUntouched())
        }
    }

    @Test func `a token endpoint that breaks off, redirects or says nonsense signs nobody in`() async throws {
        let answers: [[HTTPSink.Step]] = [
            [.close], HTTPSink.answer(302, headers: ["Location: /x"]), HTTPSink.answer(200, "{}"),
            HTTPSink.answer(200, "[]"), HTTPSink.answer(500),
        ]
        for answer in answers {
            try await ProviderWorld.running { world async throws in
                world.provider.behave { $0.answers["/token"] = answer }
                let code = try await world.signIn().refusal?.code
                #expect(code == .invalidProviderAnswer || code == .providerUnavailable)
                #expect(try await world.isUntouched())
            }
        }
    }

    @Test func `a private address is not dialled where an operator has named none (abuse case 29)`() async throws {
        try await ProviderWorld.running(port: try .publicOnly()) { world async throws in
            let (request, browser) = try await world.test.app.waitingRequest()
            guard case .refused(let refusal) = try await world.start(request, browser) else {
                Issue.record("it began")
                return
            }
            #expect(refusal.code == .providerUnavailable)
            #expect(world.sink.connectionCount == 0)
        }
    }

    @Test func `an issuer in a private network cannot be written down in production`() {
        for host in PrivateHosts.all {
            #expect(ProviderIssuer("https://\(host)", of: .openID, allowsPrivate: false) == nil, "\(host)")
        }
        #expect(ProviderIssuer("http://example.com", of: .openID, allowsPrivate: false) == nil)
        #expect(ProviderIssuer("https://example.com?x", of: .openID, allowsPrivate: false) == nil)
        #expect(ProviderIssuer("https://Example.com", of: .openID, allowsPrivate: false) == nil)
        #expect(ProviderIssuer("https://example.com/realm", of: .openID, allowsPrivate: false) != nil)
    }

    @Test func `a Microsoft issuer names one tenant`() {
        func isTaken(_ tenant: String) -> Bool {
            ProviderIssuer("https://login.microsoftonline.com/\(tenant)/v2.0", of: .microsoft, allowsPrivate: false)
                != nil
        }
        #expect(isTaken("9188040d-6c67-4c5b-b112-36a304b66dad"))
        for tenant in ["common", "organizations", "consumers", "contoso.onmicrosoft.com", ""] {
            #expect(!isTaken(tenant), "\(tenant)")
        }
    }
}

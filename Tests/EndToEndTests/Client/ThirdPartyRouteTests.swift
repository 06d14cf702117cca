import Curl
import Foundation
import GatepostClient
import GatepostHummingbird
import Hummingbird
import Logging
import Testing

/// What GatepostHummingbird lets a third party's token open.
@Suite("GatepostHummingbird: third parties", .timeLimit(.minutes(20)))
struct ThirdPartyRouteTests {
    /// An app with one route for everybody's clients and one for its own.
    private func withApp<Output>(
        _ verifier: AccessTokenVerifier, _ body: (String) async throws -> Output
    ) async throws -> Output {
        let router = Router(context: BasicAccessTokenRequestContext.self)
        router.group("own").add(middleware: AccessTokenMiddleware(verifier))
            .get { _, context in "\(context.accessToken?.isThirdParty ?? true)" }
        router.group("shared").add(middleware: AccessTokenMiddleware(verifier, acceptsThirdParties: true))
            .get { _, context in "\(context.accessToken?.isThirdParty ?? true)" }
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let app = Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { bound.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "app") { _ in SwiftLogNoOpLogHandler() })
        let serving = Task {
            defer { bound.finish() }
            try await app.runService(gracefulShutdownSignals: [])
        }
        let port = try #require(await ports.first { _ in true })
        let result: Result<Output, any Error>
        do { result = .success(try await body("http://127.0.0.1:\(port)")) } catch { result = .failure(error) }
        serving.cancel()
        _ = await serving.result
        return try result.get()
    }

    @Test func `a third party's token opens a route that says so, by a verifier that does, and nothing else`()
        async throws
    {
        try await Installation.running { installation in
            try await installation.serve()
            let app = try await installation.makeApp()
            let (own, ownSecret) = try await installation.addConfidentialClient(to: app.id)
            let (third, thirdSecret) = try await installation.addConfidentialClient(to: app.id, "--third-party")
            let mine = try #require(try await installation.clientToken(app.id, own, ownSecret))
            let foreign = try #require(try await installation.clientToken(app.id, third, thirdSecret))
            let issuer = try GatepostIssuer("\(installation.baseURL)/apps/\(app.id)")
            for accepts in [false, true] {
                let verifier = AccessTokenVerifier(issuer: issuer, acceptsThirdParties: accepts)
                try await withApp(verifier) { base in
                    func ask(
                        _ route: String, _ token: String
                    ) async throws -> (status: Int, text: String, challenge: String) {
                        let answer = try await installation.send(
                            "GET", "\(base)/\(route)", headers: ["Authorization": "Bearer \(token)"])
                        return (answer.status, answer.text, answer.header("WWW-Authenticate") ?? "")
                    }
                    for route in ["own", "shared"] {
                        let answer = try await ask(route, mine)
                        #expect(answer.status == 200 && answer.text == "false", "\(route), \(accepts)")
                    }
                    let refused = try await ask("own", foreign)
                    #expect(refused.status == 401)
                    #expect(refused.challenge.contains("given to a third party"))
                    let shared = try await ask("shared", foreign)
                    #expect(shared.status == (accepts ? 200 : 401), "\(shared.text)")
                    if accepts { #expect(shared.text == "true") }
                }
            }
        }
    }
}

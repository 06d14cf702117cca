import Foundation
import GatepostClient
import GatepostHummingbird
import Hummingbird

@main
struct Notes {
    static func main() async throws {
        let settings = ProcessInfo.processInfo.environment
        let issuer = try GatepostIssuer(settings["ISSUER"] ?? "")
        let tokens = AccessTokenVerifier(issuer: issuer)
        let webhooks = try WebhookVerifier(secrets: [settings["WEBHOOK_SECRET"] ?? ""])

        let router = Router(context: BasicAccessTokenRequestContext.self)
        router.get("/") { _, _ in "Open to everybody.\n" }

        // For whoever has a token of the app, people and programs.
        router.group("status")
            .add(middleware: AccessTokenMiddleware(tokens))
            .get { _, context in "The token is good until \(context.accessToken?.expiresAt ?? 0).\n" }

        // For signed-in people: their id is there, or the route is not reached.
        router.group("notes")
            .add(middleware: AccessTokenMiddleware(tokens))
            .group(context: BasicUserRequestContext.self)
            .get { _, context in "The notes of \(context.user).\n" }

        // For those who may: the app's roles say who.
        router.group("all-notes")
            .add(middleware: AccessTokenMiddleware(tokens, permissions: ["notes.read_all"]))
            .get { _, _ in "The notes of everybody.\n" }

        // What Gatepost tells the app. A notice may come twice: remember its id, in the transaction of the work.
        router.post("gatepost") { request, _ in
            let notice = try await request.notice(verifiedBy: webhooks)
            print(notice.type, notice.user ?? "")
            fflush(nil)
            return HTTPResponse.Status.noContent
        }

        let port = settings["PORT"].flatMap { Int($0) } ?? 3000
        let app = Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)))
        try await app.runService()
    }
}

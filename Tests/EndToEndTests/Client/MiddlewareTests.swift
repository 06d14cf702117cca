import Curl
import Foundation
import GatepostDev
import GatepostModel
import Testing
import TestSupport

/// The app of docs/recipes/swift.md, and what GatepostHummingbird answers in it.
@Suite("GatepostHummingbird", .timeLimit(.minutes(20)))
struct MiddlewareTests {
    private static let secret = "whsec_" + Data(repeating: 7, count: 32).base64EncodedString()

    /// The recipe's app on a port of its own.
    private func withNotes<Output>(
        issuer: String, _ body: (String) async throws -> Output
    ) async throws -> Output {
        let port = try await Installation.freePort()
        let notes = try await Program(
            [], environment: ["ISSUER": issuer, "WEBHOOK_SECRET": Self.secret, "PORT": "\(port)"], named: "recipe-swift"
        )
        let result: Result<Output, any Error>
        do {
            let http = try HTTPClient(.init { _ in true })
            try await eventually("it listens") {
                (try? await http.send(HTTPRequest("http://127.0.0.1:\(port)/")))?.status == 200 ? () : nil
            }
            await http.shutdown()
            result = .success(try await body("http://127.0.0.1:\(port)"))
        } catch {
            result = .failure(error)
        }
        #expect(try await notes.terminate() == .done, "\(notes.errors)")
        return try result.get()
    }

    @Test func `a request is answered as its token deserves`() async throws {
        try await Installation.running { installation in
            try await installation.serve()
            try await installation.work()
            let app = try await installation.makeApp()
            let tokens = try await installation.signedIn("ada@example.com", to: app)
            let (client, secret) = try await installation.addConfidentialClient(to: app.id)
            let own = try #require(try await installation.clientToken(app.id, client, secret))
            try await withNotes(issuer: "\(installation.baseURL)/apps/\(app.id)") { notes in
                let user = try #require(try await app.asUser(tokens.access).field("user.id"))
                for scheme in ["Bearer", "bearer", "BEARER"] {
                    #expect(
                        try await ask(notes, "/notes", "\(scheme) \(tokens.access)").text == "The notes of \(user).\n")
                }
                // Nothing was wrong with what was not there (RFC 6750, section 3.1).
                try expect(app, try await ask(notes, "/notes"), 401, "")
                try expect(app, try await ask(notes, "/notes?access_token=\(tokens.access)"), 401, "")
                try expect(app, try await ask(notes, "/notes", "Basic QWxhZGRpbg=="), 401, "")
                let garbled = #", error="invalid_request", error_description=""#
                try expect(
                    app, try await ask(notes, "/notes", "Bearer"), 400, garbled + #"Bearer is followed by one token""#)
                try expect(
                    app, try await ask(notes, "/notes", "Bearer \(own)", "Bearer \(own)"), 400,
                    garbled + #"there are two Authorization headers""#)
                let invalid = #", error="invalid_token", error_description=""#
                try expect(
                    app, try await ask(notes, "/notes", "Bearer \(tokens.refresh)"), 401,
                    invalid + #"this is no access token of Gatepost's""#)
                try expect(
                    app, try await ask(notes, "/notes", "Bearer \(tokens.access.dropLast(4))AAAA"), 401,
                    invalid + #"the signature is not the issuer's""#)
                #expect(try await ask(notes, "/status", "Bearer \(own)").status == 200)
                try await expectNoThirdParty(notes, app, installation)
                let short = #", error="insufficient_scope", error_description=""#
                try expect(
                    app, try await ask(notes, "/notes", "Bearer \(own)"), 403,
                    short + #"the token is a client's own, not a user's""#)
                try expect(
                    app, try await ask(notes, "/all-notes", "Bearer \(tokens.access)"), 403,
                    short + #"a permission is missing", scope="notes.read_all""#)
                try await expectAllNotes(notes, of: user, tokens, app, installation)
            }
        }
    }

    /// Neither the token that a third party's server gets for itself opens anything, nor would its users'.
    private func expectNoThirdParty(_ notes: String, _ app: App, _ installation: Installation) async throws {
        let (client, secret) = try await installation.addConfidentialClient(to: app.id, "--third-party")
        let token = try #require(try await installation.clientToken(app.id, client, secret))
        try expect(
            app, try await ask(notes, "/status", "Bearer \(token)"), 401,
            #", error="invalid_token", error_description="the token was given to a third party""#)
    }

    private func ask(_ notes: String, _ path: String, _ authorization: String...) async throws -> HTTPResponse {
        let http = try HTTPClient(.init { _ in true })
        let answer = try await http.send(
            HTTPRequest("GET", notes + path, headers: authorization.map { .init("Authorization", $0) }))
        await http.shutdown()
        return answer
    }

    private func expect(_ app: App, _ answer: HTTPResponse, _ status: Int, _ challenge: String) throws {
        #expect(answer.status == status)
        #expect(answer.header("WWW-Authenticate") == "Bearer realm=\"\(app.id)\"\(challenge)")
    }

    /// Once the user may, the token says so.
    private func expectAllNotes(
        _ notes: String, of user: String, _ tokens: App.Tokens, _ app: App, _ installation: Installation
    ) async throws {
        try await grant("notes.read_all", to: user, of: app, installation)
        // A server remembers an app's settings for a second.
        var refresh = tokens.refresh
        let shown = try await eventually("tokens say it") {
            let more = try App.Tokens(try await app.refresh(refresh))
            refresh = more.refresh
            let answer = try await ask(notes, "/all-notes", "Bearer \(more.access)")
            return answer.status == 200 ? answer.text : nil
        }
        #expect(shown == "The notes of everybody.\n")
    }

    /// Gives somebody a role with a permission, which tokens then say.
    private func grant(
        _ permission: String, to user: String, of app: App, _ installation: Installation
    ) async throws {
        let key = try await installation.makeAPIKey()
        @Sendable func ask(_ method: String, _ path: String, _ json: String?) async throws -> HTTPResponse {
            let answer = try await installation.send(
                method, "/v1/admin/apps/\(app.id)\(path)",
                headers: ["Authorization": "Bearer \(key)", "Content-Type": "application/json"], body: json)
            try #require(answer.status < 300, "\(answer.text)")
            return answer
        }
        _ = try await ask("PATCH", "", #"{"settings": {"roles_in_tokens": true}}"#)
        let role = try await ask(
            "POST", "/roles", #"{"name": "reader", "description": "", "permissions": ["\#(permission)"]}"#)
        _ = try await ask("PUT", "/users/\(user)/roles/\(try #require(role.field("id")))", nil)
    }

    @Test func `where the keys cannot be had, a person is told to come again and not to sign in again`() async throws {
        try await Installation.running { installation in
            try await installation.serve()
            let app = try await installation.makeApp()
            let (client, secret) = try await installation.addConfidentialClient(to: app.id)
            let token = try #require(try await installation.clientToken(app.id, client, secret))
            let server = try #require(installation.started.last { !$0.hasEnded })
            try await server.terminate()
            try await withNotes(issuer: "\(installation.baseURL)/apps/\(app.id)") { notes in
                let answer = try await installation.send(
                    "GET", "\(notes)/status", headers: ["Authorization": "Bearer \(token)"])
                #expect(answer.status == 503 && answer.header("Retry-After") == "2")
                #expect(answer.header("WWW-Authenticate") == nil)
                try await installation.serve()
                try await eventually("it goes on by itself") {
                    let answer = try await installation.send(
                        "GET", "\(notes)/status", headers: ["Authorization": "Bearer \(token)"])
                    return answer.status == 200 ? () : nil
                }
            }
        }
    }

    @Test func `a notice that is not genuine is refused, and so is one that is too long`() async throws {
        try await withNotes(issuer: "http://localhost:1/apps/app_01kjpsf48yf3gr2mrntwb7e2cn") { notes in
            let http = try HTTPClient(.init { _ in true })
            for (body, status) in [("{}", 400), (String(repeating: "x", count: 65_537), 413)] {
                let answer = try await http.send(
                    HTTPRequest(
                        "POST", notes + "/gatepost",
                        headers: [.init("webhook-id", "msg_1"), .init("webhook-signature", "v1,AAAA")],
                        body: Array(body.utf8)))
                #expect(answer.status == status)
            }
            await http.shutdown()
        }
    }
}

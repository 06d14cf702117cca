import Curl
import Foundation
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// One trace from a request through the outbox to the wire, in the real program.
@Suite("Traces", .timeLimit(.minutes(20)))
struct TraceTests {
    static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    static let header = "00-\(trace)-00f067aa0ba902b7-01"

    @Test func `one trace id is in the request's line, the outbox, and the line of the SMTP attempt`() async throws {
        try await Installation.running { installation in
            let server = try await installation.serve()
            let app = try await installation.makeApp()
            let answer = try await signUp("ada@example.com", in: app, traceparents: [Self.header])
            #expect(answer.status == 202, "\(answer.text)")

            // The request's line, under the id that the caller was given.
            let request = try #require(answer.header("X-Request-Id"))
            let line = try await entry(of: server) { $0["message"] == "request" && $0["request.id"] == request }
            #expect(line["trace.id"] == Self.trace && line["request.route"] == "/v1/apps/{app}/sign-ups")
            // The row, before any worker runs: the trace, and the request's own span.
            let owed = try await installation.texts("select trace from outbox where kind = 'mail.verification'")
            #expect(owed == ["00-\(Self.trace)-\(line["span.id"] ?? "")-01"])

            let worker = try await installation.work()
            try await installation.waitUntilNothingIsOwed()
            let attempt = try await entry(of: worker) { $0["message"] == "attempt" }
            #expect(attempt["trace.id"] == Self.trace && attempt["span.id"] != line["span.id"])
            #expect(attempt["flow.id"] == answer.field("flow") && attempt["attempt.outcome"] == "delivered")
            #expect(attempt["attempt.code"] == "250")
            // The mail that came is this message's; it says nothing of the trace, which is ours and not its reader's.
            let mail = try #require(await installation.relay.mails().first)
            let message = try #require(attempt["message.id"])
            #expect(mail.header("Message-ID")?.contains(message) == true)
            #expect(!String(decoding: mail.bytes, as: UTF8.self).contains(Self.trace))
            #expect(try await installation.texts("select trace from deliveries") == owed)
            // The ledger's entry leads to the trace, and with it to the request.
            let show = try await installation.run("outbox", "show", app.id, message, "--json")
            #expect(show.output.contains(Self.trace), "\(show.output)")
            for program in [server, worker] { #expect(try !program.logEntries().isEmpty) }
        }
    }

    @Test func `a webhook's request carries the trace of what it tells of`() async throws {
        try await Installation.running { installation in
            try await installation.serve()
            let app = try await installation.makeApp()
            let key = try await installation.makeAPIKey()
            try await HTTPSink.running { sink in
                let made = try await installation.send(
                    "POST", "/v1/admin/apps/\(app.id)/webhook-endpoints",
                    headers: ["Authorization": "Bearer \(key)", "Content-Type": "application/json"],
                    body: #"{"url": "\#(sink.url())", "event_types": ["user.created"]}"#)
                #expect(made.status == 201, "\(made.text)")
                #expect(try await signUp("ada@example.com", in: app, traceparents: [Self.header]).status == 202)
                let worker = try await installation.work()
                try await installation.waitUntilNothingIsOwed()

                let sent = try #require(sink.requests.first?.header("traceparent"))
                let attempt = try await entry(of: worker) { $0["message.kind"] == "webhook.notice" }
                #expect(sent == "00-\(Self.trace)-\(attempt["span.id"] ?? "")-01")
            }
        }
    }

    @Test(arguments: [
        [], ["00-00000000000000000000000000000000-00f067aa0ba902b7-01"], [header, header], ["nonsense"],
    ])
    func `a request without a trace that can be read begins one`(traceparents: [String]) async throws {
        try await Installation.running { installation in
            let server = try await installation.serve()
            let app = try await installation.makeApp()
            #expect(try await signUp("ada@example.com", in: app, traceparents: traceparents).status == 202)
            let line = try await entry(of: server) { $0["request.route"] == "/v1/apps/{app}/sign-ups" }
            let trace = try #require(line["trace.id"])
            #expect(trace != Self.trace && trace.wholeMatch(of: /[0-9a-f]{32}/) != nil)
            let owed = try await installation.texts("select trace from outbox where kind = 'mail.verification'")
            #expect(owed == ["00-\(trace)-\(line["span.id"] ?? "")-01"])
        }
    }

    private func signUp(_ email: String, in app: App, traceparents: [String]) async throws -> HTTPResponse {
        let client = try HTTPClient(.init { _ in true })
        let headers =
            [HTTPRequest.Header("Content-Type", "application/json")] + traceparents.map { .init("traceparent", $0) }
        let body = #"{"email": "\#(email)", "password": "\#(App.password)"}"#
        let result: Result<HTTPResponse, any Error>
        do {
            result = .success(
                try await client.send(
                    HTTPRequest(
                        "POST", "\(app.installation.baseURL)/v1/apps/\(app.id)/sign-ups", headers: headers,
                        body: Array(body.utf8))))
        } catch { result = .failure(error) }
        await client.shutdown()
        return try result.get()
    }

    /// The first line of a log that is meant, once it is written.
    private func entry(
        of program: Program, where isMeant: ([String: String]) -> Bool
    ) async throws -> [String: String] {
        try await eventually("the line is written") {
            // The last line may still be growing.
            guard program.errors.hasSuffix("\n") else { return nil }
            return try program.logEntries().first(where: isMeant)
        }
    }
}

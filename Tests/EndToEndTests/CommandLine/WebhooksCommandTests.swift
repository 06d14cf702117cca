import Curl
import Foundation
import GatepostClient
import GatepostDev
import GatepostModel
import Testing
import TestSupport

/// `gatepost webhooks listen`, between a real worker and what a developer writes.
@Suite("gatepost webhooks", .timeLimit(.minutes(20)))
struct WebhooksCommandTests {
    @Test func `notices are received, verified, forwarded as they came, and told of line by line`() async throws {
        try await Installation.running { installation in
            try await installation.serve()
            try await installation.work()
            let app = try await installation.makeApp()
            try await HTTPSink.running({ request in
                // The first try of the first notice fails, so that Gatepost is seen to hear of it.
                request.order == 1 ? HTTPSink.answer(503) : HTTPSink.answer(204)
            }) { sink in
                let listener = try await installation.start(
                    ["webhooks", "listen", app.id, "--forward-to", sink.url("/notices"), "--event", "user.created"])
                let first = try await listener.line(beginning: "listening on ")
                let address = try #require(first.split(separator: ",").first).description
                let endpoint = try await listener.line(beginning: "endpoint  ")
                let secret = try await listener.line(beginning: "secret    ")

                _ = try await app.signUp("ada@example.com")
                let requests = try await sink.waitForRequests(count: 2)
                try expectForwarded(requests, secret)
                try await installation.waitUntilNothingIsOwed()
                let codes = try await installation.texts(
                    "select code::text from delivery_attempts where code in (503, 204) order by started_at")
                #expect(codes == ["503", "204"], "\(codes)")

                // Nobody else's is forwarded.
                let forged = try await installation.send(
                    "POST", address + "/",
                    headers: [
                        "webhook-id": "msg_forged", "webhook-timestamp": "\(Int64(Date().timeIntervalSince1970))",
                        "webhook-signature": "v1,AAAA",
                    ], body: "{}")
                #expect(forged.status == 400 && sink.requests.count == 2)

                #expect(try await listener.terminate() == .done, "\(listener.errors)")
                let lines = listener.output.split(separator: "\n").map(String.init)
                #expect(lines.filter { $0.contains("user.created  msg_") }.count == 2)
                #expect(lines.contains { $0.contains("  503  ") } && lines.contains { $0.contains("  204  ") })
                #expect(lines.contains { $0.contains("-  msg_forged  400") && $0.contains("refused: no signature") })
                #expect(lines.last == "endpoint  \(endpoint) is deleted")
                #expect(try await installation.count("select count(*) from webhook_endpoints") == 0)
            }
        }
    }

    /// Each is the notice as it came, which whoever takes it verifies once more.
    private func expectForwarded(_ requests: [HTTPSink.Request], _ secret: String) throws {
        let verifier = try WebhookVerifier(secrets: [secret])
        for request in requests {
            let notice = try verifier.verify(
                request.body, id: request.header("webhook-id"), timestamp: request.header("webhook-timestamp"),
                signature: request.header("webhook-signature"))
            #expect(notice.type == "user.created" && notice.email == "ada@example.com")
            #expect(request.target == "/notices" && request.header("traceparent") != nil)
            #expect(request.header("user-agent")?.hasPrefix("Gatepost") == true)
        }
        #expect(Set(requests.map { $0.header("webhook-id") }).count == 1)
    }

    private struct Opening: Decodable {
        let listening: String
        let forwarding_to: String
        let endpoint: String
        let secret: String
    }

    @Test func `with --json every line is an object, the first and the last too`() async throws {
        try await Installation.running { installation in
            let app = try await installation.makeApp()
            let target = "http://127.0.0.1:1/"
            let listener = try await installation.start(
                ["webhooks", "listen", app.id, "--forward-to", target, "--json"])
            let first = "{" + (try await listener.line(beginning: "{"))
            let opening = try JSONDecoder().decode(Opening.self, from: Data(first.utf8))
            #expect(opening.forwarding_to == target && opening.secret.hasPrefix("whsec_"))
            let forged = try await installation.send(
                "POST", opening.listening + "/", headers: ["webhook-id": "msg_forged"], body: "{}")
            #expect(forged.status == 400)
            #expect(try await listener.terminate() == .done, "\(listener.errors)")

            let lines = listener.output.split(separator: "\n").map(String.init)
            let objects = lines.compactMap {
                try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: any Sendable]
            }
            #expect(lines.count == 3 && objects.count == 3, "\(lines)")
            #expect(objects.dropFirst().first?["id"] as? String == "msg_forged", "\(lines)")
            #expect(lines.last == #"{"deleted":"\#(opening.endpoint)"}"#)
        }
    }

    @Test func `the secret of an endpoint that is there already needs no settings`() async throws {
        let secret = "whsec_" + Data(repeating: 7, count: 32).base64EncodedString()
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString)").path
        try Data((secret + "\n").utf8).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let listener = try await Program(
            ["webhooks", "listen", "--forward-to", "http://127.0.0.1:1/", "--secret-file", file], environment: [:])
        let line = try await listener.line(beginning: "listening on http://127.0.0.1:")
        let port = String(try #require(line.split(separator: ",").first))
        let second = try await Program.run(
            [
                "webhooks", "listen", "--forward-to", "http://127.0.0.1:1/", "--secret-file", file, "--port", port,
            ], environment: [:])
        #expect(second.exit == SettingsTests.failure)
        #expect(second.errors.contains("another program listens there; choose another by --port"), "\(second.errors)")
        #expect(try await listener.terminate() == .done, "\(listener.errors)")
        #expect(!listener.output.contains(secret))
    }

    @Test(arguments: [
        ["--forward-to", "http://localhost:1/"], ["app_1", "--forward-to", "localhost:1"],
        ["--forward-to", "http://localhost:1/", "--secret-file", "x", "--event", "user.created"],
        ["app_1", "--forward-to", "http://localhost:1/", "--event", "user.invented"],
        ["--forward-to", "http://localhost:1/", "--secret-file", "/nowhere"], ["app_1"],
    ])
    func `what makes no sense together is a usage error`(_ arguments: [String]) async throws {
        let outcome = try await Program.run(["webhooks", "listen"] + arguments, environment: [:])
        #expect(outcome.exit == SettingsTests.usage, "\(outcome.errors)")
    }

    @Test func `where Gatepost would not call this machine, that is said, and nothing is left`() async throws {
        try await Installation.running(settings: ["GATEPOST_PRIVATE_DESTINATIONS": ""]) { installation in
            let app = try await installation.makeApp()
            let outcome = try await installation.run(
                "webhooks", "listen", app.id, "--forward-to", "http://127.0.0.1:1/")
            #expect(outcome.exit == SettingsTests.failure)
            #expect(outcome.errors.contains("Gatepost does not call http://127.0.0.1:"), "\(outcome.errors)")
            #expect(try await installation.count("select count(*) from webhook_endpoints") == 0)
        }
    }
}

import Foundation
import TestSupport

/// An HTTPS server that we did not write, which keeps each notice as it came; and two foreign verifiers.
struct WebhookReceiver: Sendable {
    /// A request as the receiver saw it.
    struct Notice: Codable, Sendable {
        let path: String
        let status: Int
        let headers: [String: String]
        let body: String
        let version: String
    }

    private struct Question: Encodable {
        let notices: [Notice]
        let secrets: [String]
    }

    /// Where the certificate of its authority is written.
    let certificate = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).pem").path
    private let program: OutsideProgram

    /// Starts it; the caller must `stop` it.
    init() async throws {
        program = try await OutsideProgram(
            OutsideProgram.python, [Outside.folder.appendingPathComponent("receive_webhooks.py").path, certificate])
    }

    /// Where it listens, once it does.
    func port() async throws -> String {
        try await program.lines(count: 1)[0]
    }

    /// The first notices, once so many have come.
    func notices(count: Int) async throws -> [Notice] {
        try await program.lines(count: count + 1).dropFirst().map {
            try JSONDecoder().decode(Notice.self, from: Data($0.utf8))
        }
    }

    /// What standardwebhooks and svix say of each notice with each secret, as it came and spoilt in several ways.
    static func verdicts(on notices: [Notice], secrets: [String]) async throws -> [[[String: Bool]]] {
        try await Outside.ask("verify_webhook.py", Question(notices: notices, secrets: secrets))
    }

    /// Ends it.
    func stop() async {
        await program.stop()
        try? FileManager.default.removeItem(atPath: certificate)
    }
}

import Crypto
import Foundation
import GatepostDelivery
package import GatepostFlows
package import GatepostModel

/// A server on loopback that knows leaked passwords, honest unless a test gives it other words.
package struct LeakServer: Sendable {
    /// A password that the policy takes, and that the server knows.
    package static let leaked = Secret("eleven herons under a copper bridge")

    /// What came.
    package let sink: HTTPSink
    /// How often somebody was asked.
    package var askedCount: Int { sink.requests.count }

    /// Runs a server, with a way to it as the program has it.
    ///
    /// - Parameters:
    ///   - password: What it knows.
    ///   - count: How often that was seen; 0 is how an answer is padded.
    ///   - deadline: How long an answer may take: more than the program's where a machine under load must answer.
    ///   - answer: What it says instead.
    ///   - body: The test.
    /// - Throws: What the body throws.
    package static func running(
        knowing password: Secret = leaked, seen count: Int = 3, deadline: Duration = .seconds(20),
        answer: (@Sendable () -> [HTTPSink.Step])? = nil, _ body: (LeakServer, PasswordRangePort) async throws -> Void
    ) async throws {
        let digest = Insecure.SHA1.hash(data: Array(password.revealed.precomposed.utf8))
        let digits = digest.map { String(UInt16($0) + 256, radix: 16, uppercase: true).dropFirst() }.joined()
        let rest = String(digits.dropFirst(5))
        let range = "/range/" + digits.prefix(5)
        let padding = "0018A45C4D1DEF81644B54AB7F969B88D65:0\r\n00D4F6E8FA6EECAD2A3AA415EEC418D38EC:2"
        try await HTTPSink.running({ request in
            if let answer { return answer() }
            return HTTPSink.answer(200, request.target == range ? "\(padding)\r\n\(rest):\(count)" : padding)
        }) { sink in
            let server = PasswordRangeServer(url: sink.url("/range"), through: try TestApp.loopbackTransport())
            let port = PasswordRangePort { prefix in
                switch await server.counts(beginning: prefix, deadline: deadline) {
                case .counts(let counts): .counts(counts)
                case .failed: .unanswered
                }
            }
            try await body(LeakServer(sink: sink), port)
        }
    }
}

extension String {
    /// Unicode normalisation form C.
    fileprivate var precomposed: String { precomposedStringWithCanonicalMapping }
}

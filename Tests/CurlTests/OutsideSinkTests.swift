import Curl
import Foundation
import TestSupport
import Testing

/// The pool against Postfix's `smtp-sink`, a server that we did not write.
@Suite(.timeLimit(.minutes(2)))
struct OutsideSinkTests {
    private static let sinkPath = "/usr/sbin/smtp-sink"

    /// Sends one mail to a sink with such options; `smtp-sink` announces nothing, so it is tried until it listens.
    private func send(_ options: [String]) async throws -> SMTPResult {
        let port = try await HTTPSink.running { UInt16($0.port) }
        let user = ["-u", NSUserName() == "root" ? "nobody" : NSUserName()]
        let sink = try await OutsideProgram(Self.sinkPath, user + options + ["127.0.0.1:\(port)", "10"])
        let pool = SMTPPool(relay: SMTPRelay(host: "127.0.0.1", port: port, security: .none))
        let message = try mail(to: "b@example.org")
        var result = await pool.send(message, deadline: .seconds(30))
        while result.curlCode == .couldNotConnect {
            await Task.yield()
            result = await pool.send(message, deadline: .seconds(30))
        }
        await pool.shutdown()
        await sink.stop()
        return result
    }

    @Test func `a mail is taken`() async throws {
        let result = try await send([])
        #expect(result.outcome == .accepted && result.replyCode == 250)
    }

    @Test(arguments: ["connect", "mail", "rcpt", "data", "."])
    func `a soft and a hard refusal at a verb are told by their codes`(verb: String) async throws {
        let soft = try await send(["-r", verb])
        #expect(soft.outcome == .deferred && soft.replyCode == 450 || soft.replyCode == 421, "\(soft)")
        let hard = try await send(["-f", verb])
        #expect(hard.outcome == .rejected && (500...599).contains(hard.replyCode ?? 0), "\(hard)")
    }

    @Test(arguments: ["connect", "ehlo", "mail", "rcpt", "data"])
    func `a hang-up before the body is a failure`(verb: String) async throws {
        let result = try await send(["-q", verb])
        #expect(result.outcome == .failed, "\(result)")
    }

    @Test func `a hang-up after the final dot is unknown`() async throws {
        let result = try await send(["-q", "."])
        #expect(result.outcome == .unknown && result.replyCode == 354, "\(result)")
    }
}

import Foundation
import GatepostDev
import GatepostModel

/// Postfix's `smtp-sink`, a receiver of mail that we did not write, as fast as one can be.
struct SMTPSink: Sendable {
    private static let path = "/usr/sbin/smtp-sink"
    /// Connections that may wait to be taken.
    private static let backlog = 1024

    let port: Int

    /// Runs `body` beside a sink.
    static func running<Output>(_ body: (SMTPSink) async throws -> Output) async throws -> Output {
        // It announces nothing and takes no port 0, so it gets one that was free just now.
        let port = try await SMTPServer.running { $0.port }
        var arguments = [path, "127.0.0.1:\(port)", "\(backlog)"]
        if geteuid() == 0 {
            // It refuses to run as root, and forgets whose death ends it when it changes the user by itself.
            let user = ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--pdeathsig", "KILL"]
            arguments = ["/usr/bin/setpriv"] + user + arguments
        }
        let program = try await Program.start(arguments[0], Array(arguments.dropFirst()))
        let result: Result<Output, any Error>
        do {
            let sink = SMTPSink(port: port)
            try await sink.waitUntilListening()
            result = .success(try await body(sink))
        } catch {
            result = .failure(program.hasEnded ? program.failure("ended") : error)
        }
        await program.stop()
        return try result.get()
    }

    private func waitUntilListening() async throws {
        for _ in 0..<100 {
            if (try? await SMTPSource(port: port, sessions: 1, bytes: 100).rate(mails: 1)) != nil { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Program.Failed(description: "smtp-sink does not listen at \(port)")
    }
}

/// Postfix's `smtp-source`, the limit of what goes over SMTP: the same mails, sent by C over connections that stay.
struct SMTPSource: Sendable {
    private static let path = "/usr/sbin/smtp-source"

    let port: Int
    /// Connections.
    let sessions: Int
    /// The length of each mail.
    let bytes: Int

    /// Mails a second.
    func rate(mails count: Int) async throws -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        _ = try await Program.output(
            Self.path,
            [
                "-d", "-s", "\(sessions)", "-m", "\(count)", "-l", "\(bytes)", "-f", "no-reply@gatepost.example",
                "-t", "ada@users.example", "inet:127.0.0.1:\(port)",
            ], within: .seconds(300))
        return Double(count) / ((clock.now - start) / .seconds(1))
    }
}

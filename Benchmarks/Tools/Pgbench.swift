import Foundation
import Synchronization

/// Runs pgbench, the limit of what goes to Postgres: the same statements, sent by C.
///
/// `-M prepared`, 8 clients on one thread, each batch one pipeline (`\startpipeline` … `\endpipeline`) with one Sync.
final class Pgbench: Sendable {
    static let clients = 8
    /// Where the numbers begin that stand for what is new in each transaction; above those of the users.
    private static let firstNumber = 2_000_000_000_000_000_000
    private static let numbersOfRun = 10_000_000_000_000_000

    private let program: String
    private let url: String
    private let recording: Recording
    private let runCount = Atomic<Int>(0)

    /// Prepares to replay a recording in a database.
    init(program: String, url: String, replaying recording: Recording) {
        (self.program, self.url, self.recording) = (program, url, recording)
    }

    /// Transactions a second.
    func rate(seconds: Int) async throws -> Double {
        let run = runCount.add(1, ordering: .relaxed).newValue
        let script = FileManager.default.temporaryDirectory.appendingPathComponent("pgbench-\(UUID().uuidString).sql")
        defer { try? FileManager.default.removeItem(at: script) }
        let head = """
            \\set i :i + 1
            \\set n \(Self.firstNumber) + \(run) * \(Self.numbersOfRun) + :client_id * 10000000000000 + :i
            \\set u random(\(Site.firstUser), \(Site.firstUser + Site.userCount - 1))

            """
        try Data((head + recording.script).utf8).write(to: script)
        let constants = recording.constants.flatMap { ["-D", "\($0.key)=\($0.value)"] }
        let output = try await Program.output(
            program,
            ["-n", "-M", "prepared", "-c", "\(Self.clients)", "-j", "1", "-T", "\(seconds)", "-f", script.path]
                + ["-D", "i=0"] + constants + [url],
            within: .seconds(seconds + 60))
        guard let match = output.firstMatch(of: /tps = ([0-9.]+)/), let rate = Double(match.1) else {
            throw Program.Failed(description: "pgbench said: \(output)")
        }
        return rate
    }
}

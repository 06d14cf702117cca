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
    /// Commands of pgbench that go before the script.
    private let head: String
    private let runCount = Atomic<Int>(0)

    /// Prepares to replay a recording in a database.
    init(program: String, url: String, replaying recording: Recording, head: String = "") {
        (self.program, self.url, self.recording, self.head) = (program, url, recording, head)
    }

    /// Transactions a second.
    func rate(seconds: Int) async throws -> Double {
        try await rate(["-T", "\(seconds)"], within: .seconds(seconds + 60))
    }

    /// Transactions a second, while each client runs so many; `:first` tells the script how many went before.
    func rate(transactions count: Int, from first: Int) async throws -> Double {
        try await rate(["-t", "\(count)", "-D", "first=\(first)"], within: .seconds(600))
    }

    private func rate(_ extent: [String], within bound: Duration) async throws -> Double {
        let run = runCount.add(1, ordering: .relaxed).newValue
        let script = FileManager.default.temporaryDirectory.appendingPathComponent("pgbench-\(UUID().uuidString).sql")
        defer { try? FileManager.default.removeItem(at: script) }
        let numbers = """
            \\set i :i + 1
            \\set n \(Self.firstNumber) + \(run) * \(Self.numbersOfRun) + :client_id * 10000000000000 + :i
            \\set u random(\(Site.firstUser), \(Site.firstUser + Site.userCount - 1))

            """
        try Data((numbers + head + recording.script).utf8).write(to: script)
        let constants = recording.constants.flatMap { ["-D", "\($0.key)=\($0.value)"] }
        let output = try await Program.output(
            program,
            ["-n", "-M", "prepared", "-c", "\(Self.clients)", "-j", "1", "-f", script.path, "-D", "i=0"] + extent
                + constants + [url],
            within: bound)
        guard let match = output.firstMatch(of: /tps = ([0-9.]+)/), let rate = Double(match.1) else {
            throw Program.Failed(description: "pgbench said: \(output)")
        }
        return rate
    }
}

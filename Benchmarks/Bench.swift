import ArgumentParser
import Foundation
import GatepostAPI
import NIOPosix

/// The entry point; the network's event loops run everything, as in `gatepost serve`.
@main
enum Main {
    static func main() async {
        let loops = EventLoopExecutor(MultiThreadedEventLoopGroup.singleton)
        await withTaskExecutorPreference(loops) { await Bench.main() }
    }
}

/// `gatepost-bench`: measures Gatepost, each figure beside its limit.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gatepost-bench",
        abstract: "Measure Gatepost, each figure beside the limit that the same machine sets in the same run.",
        discussion: """
            Prints a table and writes it as JSON. The exit code is 0 unless something could not be measured: a target \
            that is missed is a row.
            """,
        subcommands: [HashlessServer.self, SinkServer.self])

    @Option(help: "Names, separated by commas: \(Benchmark.all.map(\.name).joined(separator: ", ")).")
    var only: String?
    @Option(help: "How often each figure and its limit are measured.")
    var runs = 5
    @Option(help: "How long each measurement lasts.")
    var seconds = 5
    @Option(help: "How long a snapshot is held beside the worker, for the benchmark held-snapshot.")
    var heldSeconds = 300
    @Option(help: "Messages in a large backlog.")
    var owed = 1_000_000
    @Flag(help: "Let commits wait for the disk, which then is much of what is measured.")
    var fsync = false
    @Option(help: "Where the JSON goes.")
    var output = ".build-release/bench.json"

    func validate() throws {
        guard runs > 0, seconds > 0, heldSeconds > 0 else {
            throw ValidationError("there must be a run and a second")
        }
        guard owed >= 20_000 else { throw ValidationError("a large backlog has 20,000 messages or more") }
        if let name = names.first(where: { name in !Benchmark.all.contains { $0.name == name } }) {
            throw ValidationError("there is no benchmark \(name)")
        }
    }

    private var names: [String] { only?.split(separator: ",").map(String.init) ?? Benchmark.all.map(\.name) }

    func run() async throws {
        let pace = Pace(runs: runs, seconds: seconds, heldSeconds: heldSeconds, owed: owed)
        var failures = 0
        try await Lab.running(syncsToDisk: fsync) { lab in
            var report = Report(
                at: Date().ISO8601Format(), cores: ProcessInfo.processInfo.activeProcessorCount,
                loadBefore: try Self.load, build: Self.build, postgres: try await lab.postgresVersion(), runs: runs,
                secondsOfRun: seconds, fsync: fsync ? "on" : "off")
            for benchmark in Benchmark.all where names.contains(benchmark.name) {
                FileHandle.standardError.write(Data("measuring \(benchmark.name)\n".utf8))
                do {
                    report.rows += try await lab.withSite { try await benchmark.measure($0, pace) }
                } catch {
                    report.failures[benchmark.name] = "\(error)".replacing("\n", with: " ")
                }
            }
            report.loadAfter = try Self.load
            print(report.table)
            try write(report)
            failures = report.failures.count
        }
        if failures > 0 { throw ExitCode.failure }
    }

    private func write(_ report: Report) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let file = URL(fileURLWithPath: output)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try encoder.encode(report).write(to: file)
    }

    /// The machine's load over the last minute.
    private static var load: String {
        get throws {
            String(try String(contentsOfFile: "/proc/loadavg", encoding: .utf8).prefix { $0 != " " })
        }
    }

    private static var build: String {
        #if DEBUG
            "debug"
        #else
            "release"
        #endif
    }
}

/// One thing to measure, by the name that `--only` takes.
struct Benchmark: Sendable {
    let name: String
    let measure: @Sendable (Site, Pace) async throws -> [Row]

    static let all = [
        transaction, read, signUp, signIn, me, meAlone, codeExchange, refresh, refreshRS256, userInfo, introspection,
        keySet, enumeration, mailRequests, linkConsume, signInPage, signing, delivery,
        programs, auditExport, claimSettle, manyApps, mail, slowRelay, webhooks, badEndpoints, heldSnapshot, fairness,
    ]
}

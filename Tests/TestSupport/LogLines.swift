import GatepostDev
package import Logging

/// The lines that a logger of a test was given, each as one text with its metadata in order of the keys.
package final class LogLines: Sendable {
    private let lines = Watched<[String]>([])

    /// Starts empty.
    package init() {}

    /// All lines so far.
    package var all: [String] { lines.current }

    /// A logger that writes here, at every level.
    package var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    /// How many lines hold a text.
    package func count(of text: String) -> Int { all.count { $0.contains(text) } }

    /// Waits until a line holds a text.
    package func wait(for text: String) async throws {
        try await lines.wait(within: .seconds(30)) { $0.contains { $0.contains(text) } ? () : nil }
    }

    fileprivate func add(_ line: String) {
        lines.update { $0.append(line) }
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            let pairs = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            lines.add("\(event.level) \(event.message) " + pairs.joined(separator: " "))
        }
    }
}

import Foundation
package import GatepostModel
package import Logging

/// Writes one line of JSON an entry: time, level, message, and everything else by its own name.
///
/// By hand, because an encoder takes several times as long as the line is worth; there is a line for each request.
package struct JSONLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel = Logger.Level.info
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let clock: any WallClock
    private let write: @Sendable ([UInt8]) -> Void

    /// Makes a handler.
    ///
    /// - Parameters:
    ///   - label: Stands in each line as `logger`.
    ///   - clock: Says when; the host's clock unless given.
    ///   - write: Takes a whole line; standard error unless given.
    package init(
        label: String, clock: any WallClock = HostClock(),
        write: @escaping @Sendable ([UInt8]) -> Void = Self.writeToStandardError
    ) {
        (self.label, self.clock, self.write) = (label, clock, write)
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes a line.
    package func log(event: LogEvent) {
        let (own, provided) = (event.metadata ?? [:], metadataProvider?.get() ?? [:])
        // The nearest says what a name stands for.
        var all = Array(own)
        for entry in provided where own[entry.key] == nil { all.append(entry) }
        for entry in metadata where own[entry.key] == nil && provided[entry.key] == nil { all.append(entry) }
        // Its type only: what an error says may hold what somebody typed.
        if let error = event.error {
            all.removeAll { $0.key == "error.type" }
            all.append(("error.type", "\(type(of: error))"))
        }
        all.sort { $0.key < $1.key }
        var line = JSONLine()
        line.add("time", clock.now.description)
        line.add("level", event.level.rawValue)
        line.add("message", event.message.description)
        line.add("logger", label)
        for (key, value) in all {
            line.add(Self.reserved.contains(key) ? "metadata." + key : key, value)
        }
        write(line.finished())
    }

    private static let reserved: Set<String> = ["time", "level", "message", "logger"]

    /// One write a line; a log that cannot be written to stops nothing.
    @Sendable package static func writeToStandardError(_ line: [UInt8]) {
        try? FileHandle.standardError.write(contentsOf: line)
    }
}

/// A JSON object that grows on one line.
private struct JSONLine {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    init() {
        bytes.reserveCapacity(512)
    }

    mutating func add(_ key: String, _ value: String) {
        begin(key)
        JSONText.append(value, to: &bytes)
    }

    mutating func add(_ key: String, _ value: Logger.MetadataValue) {
        begin(key)
        append(value)
    }

    consuming func finished() -> [UInt8] {
        bytes.append(contentsOf: "}\n".utf8)
        return bytes
    }

    private mutating func begin(_ key: String) {
        if bytes.last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        JSONText.append(key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func append(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): JSONText.append(text, to: &bytes)
        case .stringConvertible(let value): JSONText.append(value.description, to: &bytes)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (position, value) in values.enumerated() {
                if position > 0 { bytes.append(UInt8(ascii: ",")) }
                append(value)
            }
            bytes.append(UInt8(ascii: "]"))
        case .dictionary(let values):
            bytes.append(UInt8(ascii: "{"))
            for (key, value) in values.sorted(by: { $0.key < $1.key }) { add(key, value) }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

import Foundation
import GatepostModel
import GatepostTelemetry
import Logging
import Synchronization
import TestSupport
import Testing

@Suite("JSON log")
struct JSONLogHandlerTests {
    /// Keeps lines as they were written.
    private final class Written: Sendable {
        let bytes = Mutex<[UInt8]>([])

        func logger() -> Logger {
            var logger = Logger(label: "test") { [self] label in
                var handler = JSONLogHandler(label: label, clock: TestClock()) { line in
                    self.bytes.withLock { $0 += line }
                }
                handler.metadataProvider = .trace
                return handler
            }
            logger.logLevel = .debug
            return logger
        }

        /// The lines as an outside reader takes them.
        func objects() throws -> [[String: Any]] {
            let text = String(decoding: bytes.withLock { $0 }, as: UTF8.self)
            return try text.split(separator: "\n").map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
                return try #require(object as? [String: Any], "\(line)")
            }
        }
    }

    @Test func `an entry is one line with time, level, message and everything else by its name`() throws {
        let written = Written()
        written.logger().notice("a job ran", metadata: ["job.name": "sweep", "job.rows": "\(7)"])

        let object = try #require(try written.objects().first)
        #expect(
            object as? [String: String] == [
                "time": TestClock.start.description, "level": "notice", "message": "a job ran", "logger": "test",
                "job.name": "sweep", "job.rows": "7",
            ])
    }

    @Test func `whatever is said stays one line of valid JSON`() throws {
        let odd = "a \"quote\", a \\ backslash,\r\n\ta break, \u{0}\u{7}\u{7F}, \u{2028} and é 🦆"
        let written = Written()
        written.logger().info("\(odd)", metadata: ["\(odd)": "\(odd)", "list": ["a", ["b": "\(odd)"]]])

        let objects = try written.objects()
        let object = try #require(objects.first)
        #expect(objects.count == 1)
        #expect(object["message"] as? String == odd && object[odd] as? String == odd)
        let list = try #require(object["list"] as? [Any])
        #expect(list.first as? String == "a" && (list.last as? [String: String]) == ["b": odd])
    }

    @Test func `a name of ours is not taken by metadata, and an error gives no more than its type`() throws {
        struct Leak: Error { let secret = "hunter2" }
        let written = Written()
        written.logger().error("failed", error: Leak(), metadata: ["level": "mine"])

        let object = try #require(try written.objects().first)
        #expect(object["level"] as? String == "error" && object["metadata.level"] as? String == "mine")
        #expect(object["error.type"] as? String == "Leak")
        #expect(!String(decoding: written.bytes.withLock { $0 }, as: UTF8.self).contains("hunter2"))
    }

    @Test func `what is logged within a span carries its trace, and nothing does outside`() async throws {
        let written = Written()
        let trace = TraceContext(continuing: nil, random: SeededRandom())
        await trace.covering { written.logger().info("within") }
        written.logger().info("outside")

        let objects = try written.objects()
        #expect(objects.first?["trace.id"] as? String == trace.traceID)
        #expect(objects.first?["span.id"] as? String == trace.spanID)
        #expect(objects.last?["trace.id"] == nil)
    }
}

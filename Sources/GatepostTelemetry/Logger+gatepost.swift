package import GatepostModel
package import Logging

extension Logger {
    /// The program's logger, on standard error: JSON for machines, lines for people.
    ///
    /// Whatever is logged while a request or a message is worked on carries its trace.
    package static func gatepost(_ format: LogFormat, level: Logger.Level) -> Logger {
        var logger = Logger(label: "gatepost") { label -> any LogHandler in
            switch format {
            case .json:
                var handler = JSONLogHandler(label: label)
                handler.metadataProvider = .trace
                return handler
            case .text:
                return StreamLogHandler.standardError(label: label, metadataProvider: .trace)
            }
        }
        logger.logLevel = level
        return logger
    }
}

extension Logger.MetadataProvider {
    /// The ids of the trace and the span at hand.
    package static var trace: Logger.MetadataProvider {
        Logger.MetadataProvider {
            guard let trace = TraceContext.current else { return [:] }
            return ["trace.id": "\(trace.traceID)", "span.id": "\(trace.spanID)"]
        }
    }
}

package import GatepostDev

/// The receiving end of a test's mails: a real SMTP server on loopback, which can be told to refuse or stall.
package struct MailSink: Sendable {
    package let server: SMTPServer

    /// Where it listens, on loopback; the system chose it.
    package var port: Int { server.port }
    /// How it misbehaves, and how far a dialogue has come.
    package var script: SMTPScript { server.script }

    /// Runs `body` with a sink of its own.
    @discardableResult
    package static func running<Output>(
        _ script: SMTPScript = SMTPScript(), _ body: (MailSink) async throws -> Output
    ) async throws -> Output {
        try await SMTPServer.running(script: script) { try await body(MailSink(server: $0)) }
    }

    /// The mails so far, in the order they came.
    package func mails() async -> [ReceivedMail] { await server.mails() }
}

extension ReceivedMail {
    /// The first header field of this name, unfolded; nil if there is none.
    package func header(_ name: String) -> String? {
        let head = text.components(separatedByFirst: "\r\n\r\n").0
        var value: String?
        for line in head.split(separator: "\r\n", omittingEmptySubsequences: false) {
            if let found = value {
                guard line.first == " " || line.first == "\t" else { return found }
                value = found + line
            } else if line.lowercased().hasPrefix(name.lowercased() + ":") {
                value = String(line.dropFirst(name.count + 1).drop { $0 == " " })
            }
        }
        return value
    }
}

extension String {
    fileprivate func components(separatedByFirst separator: String) -> (String, String) {
        guard let range = firstRange(of: separator) else { return (self, "") }
        return (String(self[..<range.lowerBound]), String(self[range.upperBound...]))
    }
}

/// A server that knows leaked passwords, spoken to in the range protocol of Pwned Passwords.
///
/// It is asked for five hexadecimal digits of a SHA-1 and answers with a line `REST:COUNT` for each hash that it knows
/// to begin so. What it is sent tells it next to nothing, and what it sends is not trusted: small, soon, whole or none.
package struct PasswordRangeServer: Sendable {
    /// How long an answer may take in all: somebody waits in front of a form.
    package static let deadline: Duration = .seconds(1)
    /// The most bytes of an answer; a padded one of Pwned Passwords has about 60 KiB.
    package static let answerBytesMax = 256 * 1024

    /// What came of asking.
    package enum Answer: Sendable, Equatable {
        /// The rest of each hash, in capitals, and how often its password was seen; 0 pads the answer.
        case counts([String: Int])
        /// Nothing that can be used: why, in words for the log.
        case failed(String)
    }

    private let url: String
    private let transport: HTTPTransport

    /// Names a server.
    ///
    /// - Parameters:
    ///   - url: Where ranges are, without a slash at the end; what is asked for is put behind one.
    ///   - transport: The way there, which decides what may be dialled.
    package init(url: String, through transport: HTTPTransport) {
        (self.url, self.transport) = (url, transport)
    }

    /// Asks for the hashes that begin so.
    ///
    /// The answer is to be padded, so that its length does not tell an onlooker what was asked for.
    ///
    /// - Parameters:
    ///   - prefix: Five hexadecimal digits.
    ///   - deadline: How long it may take.
    /// - Returns: The hashes, or why they are not known.
    package func counts(beginning prefix: String, deadline: Duration = PasswordRangeServer.deadline) async -> Answer {
        guard prefix.utf8.count == 5, prefix.utf8.allSatisfy(Self.isDigit) else { return .failed("not a range") }
        let headers = [
            (name: "Add-Padding", value: "true"), ("Accept", "text/plain"), ("User-Agent", "Gatepost"),
        ]
        let answer = await transport.call(
            "GET", "\(url)/\(prefix)", headers: headers, body: nil, bytesMax: Self.answerBytesMax, deadline: deadline)
        switch answer {
        case .answered(200, let body): return Self.read(body).map(Answer.counts) ?? .failed("it is no list of hashes")
        case .answered(let status, _): return .failed("the status is \(status)")
        case .failed(let why): return .failed(why)
        }
    }

    /// The lines of an answer; nil if one of them is not as it must be: then none is believed.
    private static func read(_ body: [UInt8]) -> [String: Int]? {
        var counts: [String: Int] = [:]
        for line in body.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            let parts = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].count == 35, parts[0].allSatisfy(isDigit),
                (1...18).contains(parts[1].count),
                parts[1].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let count = Int(String(decoding: parts[1], as: UTF8.self))
            else { return nil }
            counts[String(decoding: parts[0], as: UTF8.self).uppercased(), default: 0] += count
        }
        return counts
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "F"),
            UInt8(ascii: "a")...UInt8(ascii: "f"):
            true
        default: false
        }
    }
}

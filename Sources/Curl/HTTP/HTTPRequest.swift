/// One HTTP request and what its exchange may cost.
package struct HTTPRequest: Sendable {
    /// What happens when an answer's body is larger than `answerBytesMax`.
    package enum Overflow: Sendable {
        /// The answer is what came so far, marked as cut; the connection is closed.
        case truncate
        /// The exchange fails with `CurlError.answerTooLarge`.
        case fail
    }

    /// A header field; the order and repetitions are kept.
    package struct Header: Hashable, Sendable {
        package let name: String
        package let value: String

        /// Makes a field; it is checked when the request is sent.
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// An HTTP method, in capitals.
    package var method: String
    /// `http://` or `https://`, without a user name.
    package var url: String
    /// Fields to send.
    ///
    /// `Content-Length`, `Transfer-Encoding` and `Expect` are libcurl's affair.
    package var headers: [Header]
    /// The body; nil for none, which differs from an empty one.
    package var body: [UInt8]?

    /// How long a connection may take to be made, DNS and TLS included.
    package var connectTimeout: Duration = .seconds(10)
    /// How long the whole exchange may take.
    package var deadline: Duration = .seconds(20)
    /// Below this rate for `lowSpeedTime`, the exchange fails.
    ///
    /// Waiting for an answer counts as no bytes.
    package var lowSpeedBytesPerSecond = 1
    /// See `lowSpeedBytesPerSecond`.
    package var lowSpeedTime: Duration = .seconds(20)
    /// The most bytes of the answer's body that are kept.
    package var answerBytesMax = 1024 * 1024
    /// What happens beyond that.
    package var overflow: Overflow = .fail
    /// The most bytes of the answer's header lines; beyond, the exchange fails.
    package var headerBytesMax = 64 * 1024

    /// Makes a request with the default limits.
    package init(_ method: String, _ url: String, headers: [Header] = [], body: [UInt8]? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// Makes a GET request with the default limits.
    package init(_ url: String) {
        self.init("GET", url)
    }

    /// What libcurl must not be given: it passes line breaks in headers and methods on to the wire.
    var flaw: InvalidRequest? {
        let rest = url.lowercased().hasPrefix("http://") ? url.dropFirst(7) : url.dropFirst(8)
        guard url.lowercased().hasPrefix("http://") || url.lowercased().hasPrefix("https://"), !rest.isEmpty,
            url.utf8.count <= 8192, url.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return .url }
        guard method.isToken else { return .method }
        for header in headers {
            let framing = ["content-length", "transfer-encoding", "expect", "connection"]
            guard header.name.isToken, !framing.contains(header.name.lowercased()) else { return .headerName }
            guard header.value.utf8.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7f) }) else {
                return .headerValue
            }
        }
        return nil
    }
}

extension String {
    /// RFC 9110, section 5.6.2.
    fileprivate var isToken: Bool {
        (1...256).contains(utf8.count)
            && utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
    }
}

import GatepostModel

/// One request to a provider: small, short and to a URL that its document or its settings named.
package struct ProviderRequest: Sendable {
    /// The most bytes of an answer; a discovery document has 3 KiB, a key set seldom more than 10.
    package static let answerBytesMax = 128 * 1024
    /// How long one may take in all: somebody waits in front of a browser.
    package static let deadline: Duration = .seconds(8)

    /// What is sent, and where to.
    package let method: String
    package let url: String
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]?

    /// Asks for a document.
    static func get(_ url: String, headers: [(name: String, value: String)] = []) -> ProviderRequest {
        ProviderRequest(
            method: "GET", url: url, headers: [("Accept", "application/json"), ("User-Agent", "Gatepost")] + headers,
            body: nil)
    }

    /// Sends a form.
    static func post(
        _ url: String, form: [(name: String, value: String)], headers: [(name: String, value: String)] = []
    ) -> ProviderRequest {
        let body = form.map { "\($0.name)=\(PercentEncoding.text($0.value))" }.joined(separator: "&")
        let fixed = [
            (name: "Content-Type", value: "application/x-www-form-urlencoded"), ("Accept", "application/json"),
            ("User-Agent", "Gatepost"),
        ]
        return ProviderRequest(method: "POST", url: url, headers: fixed + headers, body: Array(body.utf8))
    }
}

/// The way to providers, the one thing that a flow calls outside Postgres: a sign-in has to redeem the provider's code
/// while the browser waits.
///
/// The program fills it with libcurl behind the guard that dials public addresses only, without redirects, with limits
/// of time and size; a flow cannot reach the network by anything else.
package struct ProviderPort: Sendable {
    /// What came back.
    package enum Reply: Sendable {
        case answered(status: Int, body: [UInt8])
        /// Nothing that can be used: why, in words for the log.
        case failed(String)
    }

    let send: @Sendable (ProviderRequest) async -> Reply

    /// Wires the way out.
    package init(send: @escaping @Sendable (ProviderRequest) async -> Reply) {
        self.send = send
    }

    /// No way out, for a program that signs nobody in.
    package static let none = ProviderPort { _ in .failed("there is no way out") }

    /// The body of an answer that is a success; nil, with what happened, for anything else.
    func body(of request: ProviderRequest) async -> Result<[UInt8], ProviderFault> {
        switch await send(request) {
        case .answered(let status, let body):
            (200...299).contains(status) ? .success(body) : .failure(.status(status))
        case .failed(let why): .failure(.unreachable(why))
        }
    }
}

/// Percent-encoding of what stands in an address or a form.
enum PercentEncoding {
    /// Encodes all but unreserved characters (RFC 3986, section 2.3), so that what is decoded is what came.
    static func text(_ value: String) -> String {
        var text: [UInt8] = []
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                text.append(byte)
            case _ where "-._~".utf8.contains(byte): text.append(byte)
            default:
                text.append(UInt8(ascii: "%"))
                text += (byte < 16 ? "0" : "").utf8
                text += String(byte, radix: 16, uppercase: true).utf8
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

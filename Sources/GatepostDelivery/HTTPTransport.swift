package import Curl
package import GatepostModel

/// Posts webhooks and calls providers, over HTTP.
///
/// It knows no database and no signatures: it takes a finished request and says what the receiver made of it. What is
/// dialled is the guard's decision, on the address and not on the name.
package final class HTTPTransport: Sendable {
    /// How long an exchange may take in all (Standard Webhooks asks for 15 to 30 s).
    package static let exchangeDeadline: Duration = .seconds(20)
    /// The most bytes of an answer that are kept, for the ledger's excerpt.
    package static let answerBytesMax = 16 * 1024
    /// The longest wait that a receiver may ask for; what it asks beyond is cut to this.
    package static let retryAfterMax: Duration = .seconds(86_400)

    private let client: HTTPClient
    private let allowsPlainHTTP: Bool

    /// Starts the transport's thread.
    ///
    /// - Parameters:
    ///   - addressGuard: Decides what may be dialled.
    ///   - caBundlePath: Trusted certificates in PEM, nil for the system's.
    ///   - allowsPlainHTTP: Whether `http://` will do; only in dev.
    /// - Throws: `CurlError.unsupported` if libcurl lacks something that is needed.
    package init(guard addressGuard: AddressGuard, caBundlePath: String? = nil, allowsPlainHTTP: Bool = false) throws {
        let settings = HTTPClient.Settings(caBundlePath: caBundlePath) { addressGuard.allows($0) }
        client = try HTTPClient(settings)
        self.allowsPlainHTTP = allowsPlainHTTP
    }

    /// Posts a body and says what became of it; errors are results, because the caller must record each try.
    ///
    /// - Parameters:
    ///   - body: The bytes, sent as they are: they have been signed.
    ///   - url: Where to.
    ///   - headers: Fields to send.
    ///   - now: The time that a `Retry-After` with a date is measured from.
    ///   - deadline: How long it may take; at most `exchangeDeadline`.
    /// - Returns: The result. Its code is the status, so that the caller sees a 410.
    package func post(
        _ body: [UInt8], to url: String, headers: [HTTPRequest.Header], now: Instant,
        deadline: Duration = HTTPTransport.exchangeDeadline
    ) async -> AttemptResult {
        guard allowsPlainHTTP || url.lowercased().hasPrefix("https://") else {
            return AttemptResult(.permanent, code: nil, reply: "the URL is not https", reachedNetwork: false)
        }
        var request = HTTPRequest("POST", url, headers: headers, body: body)
        request.deadline = min(deadline, Self.exchangeDeadline)
        request.lowSpeedTime = request.deadline
        request.answerBytesMax = Self.answerBytesMax
        request.overflow = .truncate
        do throws(CurlError) {
            return Self.result(of: try await client.send(request), now: now)
        } catch {
            return Self.result(of: error)
        }
    }

    /// What came of calling somebody whose answer is wanted.
    package enum Answer: Sendable {
        /// A whole answer, whatever its status; a redirect is one too, and is not followed.
        case answered(status: Int, body: [UInt8])
        /// None, or none within the limits: why, in printable ASCII.
        case failed(String)
    }

    /// Calls somebody whose answer is wanted, as a sign-in calls a provider; nothing is tried again.
    ///
    /// - Parameters:
    ///   - method: In capitals.
    ///   - url: Where to.
    ///   - headers: Fields to send.
    ///   - body: The body; nil for none.
    ///   - bytesMax: The most bytes that the answer's body may have; a longer one is none.
    ///   - deadline: How long it may take.
    /// - Returns: The answer, or why there is none.
    package func call(
        _ method: String, _ url: String, headers: [(name: String, value: String)], body: [UInt8]?, bytesMax: Int,
        deadline: Duration
    ) async -> Answer {
        guard allowsPlainHTTP || url.lowercased().hasPrefix("https://") else { return .failed("the URL is not https") }
        var request = HTTPRequest(method, url, headers: headers.map { .init($0.name, $0.value) }, body: body)
        request.deadline = min(deadline, Self.exchangeDeadline)
        request.connectTimeout = request.deadline
        request.lowSpeedTime = request.deadline
        request.answerBytesMax = bytesMax
        request.overflow = .fail
        do throws(CurlError) {
            let response = try await client.send(request)
            return .answered(status: response.status, body: response.body)
        } catch {
            return .failed(Self.result(of: error).reply)
        }
    }

    /// Lets running exchanges end and closes the connections.
    package func shutdown() async {
        await client.shutdown()
    }

    private static func result(of response: HTTPResponse, now: Instant) -> AttemptResult {
        let outcome: AttemptResult.Outcome =
            switch response.status {
            case 200...299: .delivered
            case 408, 425, 429, 500...599: .transient
            default: .permanent
            }
        let wanted = response.header("Retry-After").flatMap { RetryAfter.parse($0, now: now) }
        let retryAfter = outcome == .transient ? wanted.map { min($0, retryAfterMax) } : nil
        // 429 is said of the caller and not of a request (RFC 6585, section 4).
        let isFailing = response.status == 429 || (500...599).contains(response.status)
        return AttemptResult(
            outcome, code: response.status, reply: response.text, retryAfter: retryAfter,
            isDestinationFailing: isFailing)
    }

    private static func result(of error: CurlError) -> AttemptResult {
        switch error {
        case .failed(let code, wasRequestSent: true):
            AttemptResult(
                .indeterminate, code: nil, reply: "the request was sent, no whole answer came: \(code)",
                isDestinationFailing: true)
        case .failed(let code, wasRequestSent: false):
            AttemptResult(.transient, code: nil, reply: "not sent: \(code)", isDestinationFailing: true)
        case .headersTooLarge, .answerTooLarge:
            AttemptResult(.indeterminate, code: nil, reply: "the answer was too large")
        case .addressRefused:
            // Transient, because the name may resolve to a public address again.
            AttemptResult(
                .transient, code: nil, reply: "the host's address is not public", isDestinationFailing: true)
        case .invalidRequest(let flaw):
            AttemptResult(.permanent, code: nil, reply: "not a sendable request: \(flaw)", reachedNetwork: false)
        case .cancelled:
            // It may have been under way: better one notice too many than a try that is not counted.
            AttemptResult(.indeterminate, code: nil, reply: "interrupted by us")
        case .overloaded, .shutDown, .unsupported:
            AttemptResult(.transient, code: nil, reply: "not tried: \(error)", reachedNetwork: false)
        }
    }
}

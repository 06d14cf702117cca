import FoundationEssentials
import GatepostFlows
import GatepostModel
import HTTPTypes
import Hummingbird

/// An error as the API reports it: a problem document (RFC 9457) with a code from the one list.
struct Problem: Error {
    let code: ProblemCode
    /// More for the person who reads it; never a value that was sent.
    let detail: String?
    /// The same as a code, for pages that have the words in another language.
    let detailCode: String?
    /// When another try makes sense.
    let retryAfter: Duration?
    /// Whether the flow that refused has written the audit event; what it did not see is recorded at the door.
    let isRecorded: Bool
    /// Header fields that belong to the problem: `Allow`, another `WWW-Authenticate`.
    var headers: HTTPFields = [:]

    /// Reports what was refused before it reached a flow.
    init(_ code: ProblemCode, detail: String? = nil, retryAfter: Duration? = nil) {
        (self.code, self.detail, self.retryAfter) = (code, detail, retryAfter)
        (detailCode, isRecorded) = (nil, false)
    }

    /// Reports what was refused before it reached a flow, and says more.
    init(_ detail: ProblemDetail) {
        (code, self.detail, detailCode) = (detail.code, detail.text, detail.rawValue)
        (retryAfter, isRecorded) = (nil, false)
    }

    /// Reports what a flow refused, and has recorded.
    init(_ refusal: Refusal) {
        (code, detail, retryAfter) = (refusal.code, refusal.detail, refusal.retryAfter)
        detailCode = refusal.detailCode
        isRecorded = true
        if let limit = refusal.limit { headers = HTTPFields(limit) }
    }

    /// The problem document.
    func response(requestID: String) throws -> Response {
        let document = Document(
            type: "urn:gatepost:problem:\(code.rawValue)", title: code.title, status: code.status,
            code: code.rawValue, detail: detail, instance: "urn:gatepost:request:\(requestID)")
        let bytes = try JSONEncoder.answers.encode(document)
        return Response(
            status: .init(code: code.status), headers: allHeaders,
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// The fields that go with this problem, in whatever form it is reported.
    var allHeaders: HTTPFields {
        var fields = headers
        fields[.contentType] = "application/problem+json"
        if let wait = retryAfter ?? defaultWait { fields[.retryAfter] = String(max(1, wait.wholeSecondsUp)) }
        if code == .invalidAccessToken || code == .sessionEnded, fields[.wwwAuthenticate] == nil {
            fields[.wwwAuthenticate] = #"Bearer realm="gatepost", error="invalid_token""#
        }
        return fields
    }

    private var defaultWait: Duration? {
        switch code {
        case .busy, .unavailable, .rateLimited: .seconds(1)
        default: nil
        }
    }

    private struct Document: Encodable {
        let type: String
        let title: String
        let status: Int
        let code: String
        let detail: String?
        let instance: String
    }
}

extension Duration {
    /// Whole seconds, rounded up: a caller who waits this long has waited long enough.
    var wholeSecondsUp: Int64 { wholeSeconds + (self > .seconds(wholeSeconds) ? 1 : 0) }
}

extension JSONEncoder {
    /// The encoder of every JSON answer: members in order, so that two answers can be compared, and slashes as they
    /// are, since nothing is put into HTML.
    static let answers: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()
}

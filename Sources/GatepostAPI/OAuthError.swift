import GatepostModel
import HTTPTypes
import Hummingbird

/// An error of the token endpoint and those beside it, in OAuth's own form (RFC 6749, section 5.2).
struct OAuthError: Error {
    /// The codes that the specification has for this endpoint.
    enum Code: String {
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case invalidGrant = "invalid_grant"
        case unauthorizedClient = "unauthorized_client"
        case unsupportedGrantType = "unsupported_grant_type"
    }

    let code: Code
    /// For the developer who reads it: ASCII without quotes or backslashes, never a value that was sent.
    let description: String
    /// What the audit trail calls it; nil where a flow has recorded it already.
    let cause: ProblemCode?

    /// Reports what was refused before it reached a flow.
    init(_ code: Code, _ description: String, cause: ProblemCode) {
        (self.code, self.description, self.cause) = (code, description, cause)
    }

    /// A grant that a flow refused and recorded.
    ///
    /// Used up, expired, revoked or of another client: which, nobody is told.
    static let refusedGrant = OAuthError(
        code: .invalidGrant, description: "The grant is used up, expired, revoked or not of this client.", cause: nil)

    /// A client that did not prove who it is, and was recorded.
    ///
    /// Unknown, without a proof or with a wrong one: which, nobody is told.
    static let unprovenClient = OAuthError(
        code: .invalidClient, description: "The client is unknown, or has not proved who it is.", cause: nil)

    private init(code: Code, description: String, cause: ProblemCode?) {
        (self.code, self.description, self.cause) = (code, description, cause)
    }

    /// The same in OAuth's form; nil for what is no fault of the request.
    init?(_ problem: Problem) {
        switch problem.code {
        case .invalidRequest, .malformedJSON, .unknownField, .bodyTooLarge, .unsupportedMediaType:
            self.init(.invalidRequest, problem.detail ?? problem.code.title, cause: problem.code)
        case .appSuspended:
            self.init(.unauthorizedClient, problem.code.title, cause: problem.code)
        default:
            return nil
        }
    }

    /// 400, or 401 with a challenge for `invalid_client`; never cached.
    var response: Response {
        var fields: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        if code == .invalidClient { fields[.wwwAuthenticate] = #"Basic realm="gatepost""# }
        return Response(
            status: code == .invalidClient ? .unauthorized : .badRequest, headers: fields,
            body: .init(
                byteBuffer: ByteBuffer(
                    string: #"{"error":"\#(code.rawValue)","error_description":"\#(description)"}"#)))
    }
}

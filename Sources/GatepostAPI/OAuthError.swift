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
        case invalidScope = "invalid_scope"
        // What a pushed request may come to, as at the authorize endpoint (RFC 9126, section 2.3).
        case unsupportedResponseType = "unsupported_response_type"
        case requestNotSupported = "request_not_supported"
        case requestURINotSupported = "request_uri_not_supported"
        case registrationNotSupported = "registration_not_supported"
        case temporarilyUnavailable = "temporarily_unavailable"
        // RFC 7009, section 2.2.1.
        case unsupportedTokenType = "unsupported_token_type"
        // RFC 6750, section 3.1.
        case invalidToken = "invalid_token"
        case insufficientScope = "insufficient_scope"

        var status: HTTPResponse.Status {
            switch self {
            case .invalidClient, .invalidToken: .unauthorized
            case .insufficientScope: .forbidden
            case .temporarilyUnavailable: .tooManyRequests
            default: .badRequest
            }
        }

        /// What is asked for, where something is.
        var challenge: String? {
            switch self {
            case .invalidClient: #"Basic realm="gatepost""#
            case .invalidToken: #"Bearer realm="gatepost", error="invalid_token""#
            case .insufficientScope: #"Bearer realm="gatepost", error="insufficient_scope", scope="openid""#
            default: nil
            }
        }
    }

    let code: Code
    /// For the developer who reads it: ASCII without quotes or backslashes, never a value that was sent.
    let description: String
    /// What the audit trail calls it; nil where a flow has recorded it already.
    let cause: ProblemCode?
    /// Whether the request had no token at all: then nothing was wrong with it, and no code is sent (RFC 6750, 3.1).
    var isBare = false
    /// Header fields that belong to the error: when another try makes sense.
    private var headers: HTTPFields = [:]

    /// Reports what was refused before it reached a flow.
    init(_ code: Code, _ description: String, cause: ProblemCode) {
        (self.code, self.description, self.cause) = (code, description, cause)
    }

    /// What a flow refused and recorded, by the code of a specification.
    init(refused code: String, _ description: String) {
        (self.code, self.description, cause) = (Code(rawValue: code) ?? .invalidRequest, description, nil)
    }

    /// What a pushed request is told that came too often (RFC 9126, section 2.3): when to come again.
    init(limited problem: Problem) {
        self.init(code: .temporarilyUnavailable, description: "There were too many requests.", cause: nil)
        headers = problem.allHeaders
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

    /// A request that needs a bearer token and has none.
    static var missingToken: OAuthError {
        var error = OAuthError(.invalidToken, "The request has no bearer token.", cause: .invalidAccessToken)
        error.isBare = true
        return error
    }

    /// 400, 401 and 403 with a challenge, or 429; never cached.
    var response: Response {
        var fields = headers
        (fields[.contentType], fields[.cacheControl]) = ("application/json", "no-store")
        fields[.wwwAuthenticate] = isBare ? #"Bearer realm="gatepost""# : code.challenge
        return Response(
            status: code.status, headers: fields,
            body: .init(
                byteBuffer: ByteBuffer(
                    string: #"{"error":"\#(code.rawValue)","error_description":"\#(description)"}"#)))
    }
}

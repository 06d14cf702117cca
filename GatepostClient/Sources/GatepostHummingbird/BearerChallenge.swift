import HTTPTypes
import Hummingbird

/// What a request without a good token is answered (RFC 6750, section 3).
enum BearerChallenge {
    /// No token at all: no error is named, since nothing was wrong with what was not there.
    case missing
    /// A request that nobody can read one token from.
    case invalidRequest(String)
    /// A token that is not good.
    case invalidToken(String)
    /// A good token that may not do this.
    case insufficient(String, scope: String?)

    private var status: HTTPResponse.Status {
        switch self {
        case .missing, .invalidToken: .unauthorized
        case .invalidRequest: .badRequest
        case .insufficient: .forbidden
        }
    }

    private var message: String {
        switch self {
        case .missing: "an access token is missing"
        case .invalidRequest(let words), .invalidToken(let words), .insufficient(let words, _): words
        }
    }

    private var parameters: [(name: String, value: String)] {
        switch self {
        case .missing: []
        case .invalidRequest(let words): [("error", "invalid_request"), ("error_description", words)]
        case .invalidToken(let words): [("error", "invalid_token"), ("error_description", words)]
        case .insufficient(let words, let scope):
            [("error", "insufficient_scope"), ("error_description", words)] + (scope.map { [("scope", $0)] } ?? [])
        }
    }

    /// The answer; every value in it is ours, none a stranger's.
    func error(realm: String) -> HTTPError {
        let all = [("realm", realm)] + parameters.map { ($0.name, $0.value) }
        let challenge = "Bearer " + all.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ", ")
        return HTTPError(status, headers: [.wwwAuthenticate: challenge, .cacheControl: "no-store"], message: message)
    }
}

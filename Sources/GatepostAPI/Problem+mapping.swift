import GatepostFlows
import GatepostModel
import Hummingbird

extension Problem {
    /// What a caller is told of any error; details of an unexpected one stay in the log.
    init(reporting error: any Error) {
        if let problem = error as? Problem {
            self = problem
        } else if let error = error as? any HTTPResponseError {
            self = Self.problem(forStatus: error.status.code)
        } else {
            switch Trouble(error) {
            case .busy(let retryAfter): self.init(.busy, retryAfter: retryAfter)
            case .unavailable: self.init(.unavailable)
            case .unexpected: self.init(.internalError)
            }
        }
    }

    /// The framework's own refusals know only a status.
    private static func problem(forStatus status: Int) -> Problem {
        switch status {
        case 404: Problem(.notFound)
        case 405: Problem(.methodNotAllowed)
        case 413: Problem(.bodyTooLarge)
        case 415: Problem(.unsupportedMediaType)
        case 400..<500: Problem(.invalidRequest)
        case 503: Problem(.unavailable)
        default: Problem(.internalError)
        }
    }
}

extension Problem {
    /// What was wrong with a body, by the name of the field and without its value.
    init(decoding error: DecodingError) {
        switch error {
        case .keyNotFound(let key, _):
            self.init(.invalidRequest, detail: "\(key.stringValue) is missing.")
        case .valueNotFound(_, let context), .typeMismatch(_, let context):
            self.init(
                .invalidRequest,
                detail: context.codingPath.isEmpty
                    ? "The body must be a JSON object." : "\(Self.name(context)) has the wrong type.")
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            self.init(.invalidRequest, detail: "\(Self.name(context)) has an invalid value.")
        default:
            self.init(.malformedJSON)
        }
    }

    private static func name(_ context: DecodingError.Context) -> String {
        context.codingPath.map(\.stringValue).joined(separator: ".")
    }
}

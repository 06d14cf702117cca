import Passwords
import Postgres

/// What an error that a flow threw means for whoever asked.
///
/// A refusal is a value and never comes here. The caller learns only which of the three it is; `summary` goes to
/// the log.
package enum Trouble: Sendable {
    /// More is asked than the machine can do; trying again makes sense after this long.
    case busy(retryAfter: Duration)
    /// The database cannot be reached or did not answer in time.
    case unavailable
    /// Anything else: a defect.
    case unexpected

    /// Classifies an error.
    package init(_ error: any Error) {
        switch error {
        case is HasherBusy: self = .busy(retryAfter: .seconds(1))
        case let error as PostgresError: self = Self.isPassing(error) ? .unavailable : .unexpected
        case is CancellationError: self = .unavailable
        default: self = .unexpected
        }
    }

    /// What a log line may say of an error: never a value of a row or a request.
    package static func summary(_ error: any Error) -> String {
        (error as? PostgresError).map { "PostgresError: \($0)" } ?? String(reflecting: type(of: error))
    }

    /// Whether the same request may succeed in a moment.
    private static func isPassing(_ error: PostgresError) -> Bool {
        switch error.kind {
        case .connectionLost, .connectFailed, .deadlineExceeded, .cancelled, .poolExhausted, .closed: true
        case .decoding, .unsendableParameter: false
        case .server:
            // Connection, rollback (deadlock), resources, operator (shutdown), lock not available.
            error.sqlState.map { state in
                ["08", "40", "53", "57"].contains { state.hasPrefix($0) } || state == "55P03"
            } ?? false
        }
    }
}

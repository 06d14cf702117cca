import GatepostStore
import Synchronization

/// Which client a request turned out to be from, told by its handler to what stands around it.
///
/// A class, because a request's context is a value that handlers get a copy of.
final class AskingClient: Sendable {
    private let origins = Mutex<[String]?>(nil)

    /// Where its scripts run; nil while nobody knows whose request it is.
    var webOrigins: [String]? { origins.withLock { $0 } }

    /// Says whose request it is.
    func isKnown(byOrigins webOrigins: [String]) {
        origins.withLock { $0 = webOrigins }
    }
}

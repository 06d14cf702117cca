import Postgres

/// How urgent a message is: a lane has workers' slots of its own, so a flood in one does not delay another.
package enum Lane: String, Sendable, CaseIterable, Codable, PostgresEncodable, PostgresDecodable {
    /// A person waits for it: a verification mail.
    case interactive
    /// Somebody should learn of it soon, or a machine: a webhook, a key rotation.
    case notice
    /// Nobody waits: exports, mass mail.
    case bulk
}

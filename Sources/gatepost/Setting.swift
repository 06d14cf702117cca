import GatepostModel

/// Every setting, by its key; `GATEPOST_` and the key in upper case is its environment variable.
///
/// The one list: the reader, the refusal of unknown variables, and the test of docs/operating.md go by it.
enum Setting: String, CaseIterable {
    case databaseURL = "database.url"
    case databaseMigrateURL = "database.migrate_url"
    case databaseConnections = "database.connections"
    case databaseExclusiveConnections = "database.exclusive_connections"
    case databasePreparedStatements = "database.prepared_statements"
    case baseURL = "base_url"
    case listen
    case trustedProxies = "trusted_proxies"
    case trustedProxyField = "trusted_proxy_field"
    case operationsListen = "operations.listen"
    case eventLoopExecutor = "event_loop_executor"
    case logLevel = "log.level"
    case logFormat = "log.format"
    case keyEncryptionKeys = "key_encryption_keys"
    case smtpURL = "smtp.url"
    case smtpUsername = "smtp.username"
    case smtpPassword = "smtp.password"
    case smtpRequireTLS = "smtp.require_tls"
    case smtpConnections = "smtp.connections"
    case smtpDeadlineSeconds = "smtp.deadline_seconds"
    case mailFrom = "mail.from"
    case caBundle = "ca_bundle"
    case privateDestinations = "private_destinations"
    case passwordHashThreads = "password.hash_threads"
    case passwordHashQueue = "password.hash_queue"
    case passwordRangeURL = "password.range_url"
    case outboxLeaseSeconds = "outbox.lease_seconds"
    case outboxSlots = "outbox.slots"
    case outboxPollMilliseconds = "outbox.poll_milliseconds"
    case jobs

    static let prefix = "GATEPOST_"

    /// Whether a variable is the test suite's, which configures no program.
    static func isForTests(_ name: String) -> Bool {
        name.hasPrefix("GATEPOST_TEST_") || name == "GATEPOST_SEED"
    }

    var environmentName: String {
        Self.prefix + rawValue.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }

    /// Whether its value must not be shown.
    var isSecret: Bool {
        switch self {
        case .databaseURL, .databaseMigrateURL, .keyEncryptionKeys, .smtpPassword: true
        default: false
        }
    }

    /// The setting whose variable's name is nearest to an unknown one, unless none is near.
    static func nearest(to name: String) -> Setting? {
        let ranked = allCases.map { (setting: $0, distance: editDistance($0.environmentName, name)) }
        return ranked.min { $0.distance < $1.distance }.flatMap { $0.distance <= 5 ? $0.setting : nil }
    }

    /// How many characters must be put in, taken out or changed (Levenshtein).
    private static func editDistance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var previous = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                current.append(
                    min(previous[column] + (character == other ? 0 : 1), previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[right.count]
    }
}

/// Which statements the server has prepared on one connection, under which names.
///
/// Names are never used twice, so a preparation whose fate is unknown cannot be mistaken for another. They begin with
/// a random part for each connection: if a pooler changes the server under us in spite of the settings, the statement
/// is not found (26000) instead of another client's being run.
struct PreparedStatements {
    /// A statement's text and types, without values.
    private struct Key: Hashable {
        let statement: SQL

        static func == (one: Key, other: Key) -> Bool {
            one.statement.text == other.statement.text
                && one.statement.parameters.elementsEqual(other.statement.parameters) { $0.type == $1.type }
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(statement.text)
            for parameter in statement.parameters { hasher.combine(parameter.type) }
        }
    }

    private struct Entry {
        let name: String
        /// The pipeline that sent the preparation; it may use the name, later ones only once it is confirmed.
        let preparedIn: UInt64
        var isConfirmed = false
        var usedIn: UInt64
    }

    /// What to do for one execution.
    enum Plan {
        case execute(name: String)
        case prepareThenExecute(name: String)
        /// The cache is full of statements of this very pipeline.
        case unnamed
    }

    /// Statements that fell out of the cache and still exist on the server.
    private(set) var obsolete: [String] = []
    private let countMax: Int
    private let namePrefix = "s" + String(UInt64.random(in: 0..<1 << 40), radix: 36) + "_"
    private var entries: [Key: Entry] = [:]
    private var pipeline: UInt64 = 0
    private var namesGiven = 0
    private var hasUnconfirmed = false

    init(countMax: Int) {
        self.countMax = max(countMax, 0)
    }

    /// Whether so many could not be deallocated that the connection had better be replaced.
    var isOverfull: Bool { obsolete.count > max(countMax, 16) }

    /// Begins a pipeline.
    mutating func beginPipeline() { pipeline += 1 }

    /// Decides how a statement is executed in this pipeline.
    mutating func plan(_ statement: SQL) -> Plan {
        let key = Key(statement: statement)
        if let index = entries.index(forKey: key) {
            entries.values[index].usedIn = pipeline
            return .execute(name: entries.values[index].name)
        }
        guard makeRoom() else { return .unnamed }
        namesGiven += 1
        let name = namePrefix + String(namesGiven)
        hasUnconfirmed = true
        let stored = Key(statement: statement.withoutValues)
        entries[stored] = Entry(name: name, preparedIn: pipeline, usedIn: pipeline)
        return .prepareThenExecute(name: name)
    }

    /// Whether the statement was prepared by an earlier pipeline, so that its plan may be out of date.
    func isFromEarlier(_ statement: SQL) -> Bool {
        entries[Key(statement: statement)].map { $0.preparedIn < pipeline } ?? false
    }

    /// The server has prepared the statement; preparing is not undone by a rollback.
    mutating func confirm(_ statement: SQL) {
        entries[Key(statement: statement)]?.isConfirmed = true
    }

    /// Ends a pipeline: what it sent but the server did not reach is forgotten.
    mutating func endPipeline() {
        guard hasUnconfirmed else { return }
        hasUnconfirmed = false
        entries = entries.filter { $0.value.isConfirmed }
    }

    /// Gives up statements, to be prepared again when next used.
    mutating func forget(_ statements: [SQL]) {
        for statement in statements {
            guard let entry = entries.removeValue(forKey: Key(statement: statement)) else { continue }
            obsolete.append(entry.name)
        }
    }

    /// The server has none of them any more.
    mutating func forgetAll() {
        entries.removeAll()
        obsolete.removeAll()
    }

    /// These no longer exist on the server.
    mutating func deallocated(_ names: [String]) {
        obsolete.removeAll { names.contains($0) }
    }

    private mutating func makeRoom() -> Bool {
        guard entries.count >= countMax else { return true }
        // A scan of at most `countMax` entries, and only when a new statement meets a full cache.
        let candidates = entries.filter { $0.value.usedIn < pipeline }
        guard let oldest = candidates.min(by: { $0.value.usedIn < $1.value.usedIn }) else { return false }
        entries[oldest.key] = nil
        obsolete.append(oldest.value.name)
        return true
    }
}

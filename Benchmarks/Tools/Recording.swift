import Foundation
import GatepostStore

/// What a call sends to Postgres, taken from the server's own log, as a script for pgbench.
///
/// So the limit runs the very statements of the program, the select that sets role and scope among them, and cannot
/// fall behind when they change. Of two calls that agree in their small numbers, a parameter that is the same both
/// times is a constant; one that differs is made anew in each transaction, of a 19-digit number and the rest of what
/// was recorded. The limits of a call go by the order of hashes, so two calls may have them in another order.
struct Recording: Sendable {
    /// Batches, each from `\startpipeline` to `\endpipeline`.
    let script: String
    /// The values of the variables that never change.
    let constants: [String: String]

    private struct Statement {
        let text: String
        /// By number; nil for null.
        var parameters: [String: String?] = [:]

        /// The parameters that are small numbers, in order.
        var numbers: [String] {
            parameters.compactMap { name, value in
                value.flatMap { $0.contains(#/^-?\d{1,10}$/#) ? "\(name) \($0)" : nil }
            }.sorted()
        }
    }

    /// The most calls that are made until two agree: orders of limits that are as likely as one another are 24 at most.
    private static let callsMax = 100

    /// The log was not as expected.
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    /// Records a call: whatever it sends through a pool of one connection.
    ///
    /// - Parameters:
    ///   - site: Where it is made, twice or more often.
    ///   - replacing: An expression for a value that the script finds by itself; nil for every other one.
    ///   - call: What it does.
    /// - Returns: The recording.
    /// - Throws: `Unreadable`, or what the call throws.
    static func of(
        _ site: Site, replacing: (_ recorded: String) -> String? = { _ in nil },
        _ call: (Database, AppScope) async throws -> Void
    ) async throws -> Recording {
        let (role, scope) = (Lab.loginRole, try await site.scope())
        try await site.runScript("alter role \(role) set log_statement = 'all'")
        try await site.runScript("alter role \(role) set log_error_verbosity = 'default'")
        var calls: [[Statement]] = []
        var twin: [Statement]?
        while twin == nil {
            let start = try site.log().utf8.count
            try await site.withDatabase(connections: 1) { try await call($0, scope) }
            let made = statements(in: String(decoding: try site.log().utf8.dropFirst(start), as: UTF8.self))
            twin = calls.first { $0.map(\.numbers) == made.map(\.numbers) }
            calls.append(made)
            guard calls.count < callsMax, calls.allSatisfy({ $0.map(\.text) == made.map(\.text) }), !made.isEmpty else {
                throw Unreadable(description: "equal calls sent different statements: \(calls)")
            }
        }
        try await site.runScript("alter role \(role) reset all")
        guard let twin, let last = calls.last else { throw Unreadable(description: "no call was recorded") }
        return try Recording(twin, last, replacing)
    }

    private init(
        _ first: [Statement], _ second: [Statement], _ replacing: (_ recorded: String) -> String?
    ) throws {
        var script = ""
        var constants: [String: String] = [:]
        var isTransaction = false
        for (first, second) in zip(first, second) {
            // Every batch begins with the select that sets the role, and an interactive transaction, which goes as one
            // here, with its own word before it.
            if first.text == "begin" || (first.text.hasPrefix("select set_config('role'") && !isTransaction) {
                script += (script.isEmpty ? "" : "\\endpipeline\n") + "\\startpipeline\n"
            }
            isTransaction = first.text == "begin" || (isTransaction && first.text != "commit")
            let text = try first.text.replacing(/\$(\d+)/) { match in
                let number = String(match.1)
                guard let before = first.parameters[number], let after = second.parameters[number] else {
                    throw Unreadable(description: "no parameter \(number) in the log of \(first.text)")
                }
                guard let before, let after else { return "null" }
                // No variable of pgbench's is empty.
                if after.isEmpty { return "''" }
                if let expression = replacing(after) { return expression }
                if before != after, let fresh = Self.fresh(after) { return fresh }
                let name = constants.first { $0.value == after }?.key ?? "c\(constants.count)"
                constants[name] = after
                return ":\(name)\(Self.cast(of: after))"
            }
            script += text + ";\n"
        }
        (self.script, self.constants) = (script + "\\endpipeline\n", constants)
    }

    /// The type of an array, by its first element: what is sent as text does not say it, and nothing else does.
    private static func cast(of recorded: String) -> String {
        guard recorded.hasPrefix("{"), recorded != "{}" else { return "" }
        let first = recorded.dropFirst().prefix { $0 != "," && $0 != "}" }
        if first.contains(#/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/#) { return "::uuid[]" }
        if first.contains(#/^"\d{4}-\d\d-\d\d\s/#) { return "::timestamptz[]" }
        return first.contains(#/^-?\d+$/#) ? "::integer[]" : "::text[]"
    }

    /// An expression for a value that differs in each transaction; nil for a time or an array, which may stay.
    ///
    /// `:u` is the number of one of the users that are there, `:n` one that has never been used.
    private static func fresh(_ recorded: String) -> String? {
        if recorded.hasPrefix("{") || recorded.contains(#/^\d{4}-\d\d-\d\d\s/#) { return nil }
        if recorded.hasPrefix("\\x") {
            // Its own digits, so that two hashes of one statement stay two.
            let padding = recorded.suffix(max(recorded.utf8.count / 2 - 1 - 19, 0))
            return "(:n || '\(padding)')::bytea"
        }
        let isUUID = recorded.contains(#/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/#)
        let plain = isUUID ? recorded.replacing("-", with: "") : recorded
        let isUser = Int(plain.prefix(19)).map { (Site.firstUser..<Site.firstUser + Site.userCount).contains($0) }
        let rest = plain.dropFirst(19).replacing("'", with: "''")
        return "(\(isUser ?? false ? ":u" : ":n") || '\(rest)')::\(isUUID ? "uuid" : "text")"
    }

    private static func statements(in log: String) -> [Statement] {
        // A line break within a message is followed by a tab.
        let messages = log.replacing("\n\t", with: "\u{0}").split(separator: "\n").map {
            $0.replacing("\u{0}", with: "\n")
        }
        var statements: [Statement] = []
        for message in messages {
            if let match = message.firstMatch(of: #/^LOG:\s+execute [^:]*:\s/#) {
                statements.append(Statement(text: String(message[match.range.upperBound...])))
            } else if message.hasPrefix("DETAIL:  parameters: "), !statements.isEmpty {
                for match in message.matches(of: /\$(\d+) = (?:NULL|'((?:[^']|'')*)')/) {
                    let value = match.2.map { String($0).replacing("''", with: "'") }
                    statements[statements.count - 1].parameters[String(match.1)] = .some(value)
                }
            }
        }
        return statements
    }
}

/// Who writes to which table, and who reads which index.
enum SQLRules {
    /// Written anywhere in `GatepostOutbox`: they are one mechanism.
    static let outboxTables: Set<String> = ["outbox", "deliveries", "delivery_attempts"]

    /// The tables that the migrations make.
    static func tables(_ files: [SourceFile]) -> Set<String> {
        Set(
            files.filter { $0.folder == "migrations" }.flatMap(\.lines).compactMap { line in
                line.firstMatch(of: /^create (?:unlogged )?table (?:if not exists )?(\w+)/).map { String($0.1) }
            })
    }

    /// `refresh_tokens` is written in `RefreshTokens.swift` and `RefreshTokens+….swift`.
    ///
    /// A part of another table, as `client_redirect_uris` is of `clients`, may be written there.
    static func isHome(_ file: SourceFile, of table: String, among tables: Set<String>) -> Bool {
        if outboxTables.contains(table) { return file.module == "GatepostOutbox" }
        let wholes = tables.filter { $0.hasSuffix("s") && table.hasPrefix($0.dropLast() + "_") }
        return file.module == "GatepostStore"
            && wholes.union([table]).contains { table in
                let type = table.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
                return file.name == type + ".swift" || file.name.hasPrefix(type + "+")
            }
    }

    /// Statements in Swift that write to a table away from its file.
    static func strayWrites(_ files: [SourceFile]) -> [String] {
        let tables = tables(files)
        return files.filter { $0.module != nil }.flatMap { file -> [String] in
            file.swift.strings.enumerated().flatMap { line, text -> [String] in
                guard ["insert", "update", "delete", "truncate", "copy"].contains(where: text.contains) else {
                    return []
                }
                return text.matches(of: /\b(?:insert into|update|delete from|truncate|copy)\s+(?:only\s+)?(\w+)/)
                    .map { String($0.1) }
                    .filter { tables.contains($0) && !isHome(file, of: $0, among: tables) }
                    .map { file.breach(line, "writes to \($0)") }
            }
        }
    }

    /// Indexes whose comment names neither who reads them nor, where they are unique, what they keep.
    static func unexplainedIndexes(_ files: [SourceFile]) -> [String] {
        files.filter { $0.folder == "migrations" }.flatMap { file -> [String] in
            file.lines.indices.compactMap { line in
                guard file.lines[line].contains("create "),
                    let match = file.lines[line].firstMatch(of: /^\s*create (unique )?index\b/)
                else { return nil }
                let comment = file.lines[..<line].reversed().prefix { $0.hasPrefix("--") }.joined(separator: " ")
                let isRead = comment.contains(/\b[Rr]ead (?:by|when)\b/)
                let isKept = match.1 != nil && comment.contains("Keeps ")
                return isRead || isKept ? nil : file.breach(line, "no comment says what reads it")
            }
        }
    }

    /// Jobs without a test file of their own.
    static func untestedJobs(_ files: [SourceFile]) -> [String] {
        let names = Set(files.filter { $0.path.hasPrefix("Tests/") }.map(\.name))
        return files.filter { $0.folder == "jobs" && $0.path.hasSuffix(".sql") }.compactMap { file in
            let words = file.name.dropLast(".sql".count).split(separator: "-")
            let test = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + "Tests.swift"
            return names.contains(test) ? nil : file.breach(0, "there is no \(test)")
        }
    }
}

/// What has no place in any text of this repository.
enum WordRules {
    /// The rules themselves have to name what they look for.
    static let exempt: Set<String> = ["Tests/TidyTests/WordRules.swift", "Tests/TidyTests/RuleTests.swift"]

    /// Marks of what is not finished: finish it, or leave it out.
    static let unfinished = ["FIXME", "TODO", "XXX", "HACK"]

    /// Paths that exist on one machine only.
    static let machinePaths = ["/root/", "/home/", "/work/", "/workspace/", "/Users/"]

    /// How the work is organised is no business of who reads the code; nor is where packages come from.
    static let organisation = [
        "agent", "agents", "subagent", "subagents", "claude", "chatgpt", "copilot", "llm", "llms", "ai assistant",
        "the lead", "workplace", "sprint", "pull request", "pypi.org", "npmjs", "deb.debian.org", "proxy.golang.org",
    ]

    /// Words as they are written here, whole, in every file.
    static func words(_ words: [String], in files: [SourceFile]) -> [String] {
        watched(files).flatMap { file in
            file.lines.enumerated().flatMap { line, text in
                words.filter { isWord($0, in: text) }.map { file.breach(line, $0) }
            }
        }
    }

    /// Words in any case, whole; the user agent of HTTP is none of these.
    static func organisationWords(in files: [SourceFile]) -> [String] {
        watched(files).flatMap { file -> [String] in
            // Most files hold none of them in any form, which is found out quicker than where they stand.
            let whole = file.lines.joined(separator: "\n").lowercased()
            let suspects = organisation.filter { whole.contains($0) }
            guard !suspects.isEmpty || whole.contains("issue") else { return [] }
            return file.lines.enumerated().flatMap { line, text -> [String] in
                let text = text.lowercased().replacing(/user[ \-_]?agents?/, with: "")
                let numbered = text.contains(/\bissue \#?\d/) ? ["issue"] : []
                return (suspects.filter { isWord($0, in: text) } + numbered).map { file.breach(line, $0) }
            }
        }
    }

    /// Paths from the root of a machine; a route or a folder of ours may hold the same names further on.
    static func paths(in files: [SourceFile]) -> [String] {
        watched(files).flatMap { file in
            file.lines.enumerated().flatMap { line, text in
                machinePaths.filter { path in
                    text.contains(path)
                        && !text.ranges(of: path).allSatisfy { range in
                            text[..<range.lowerBound].last.map { $0.isLetter || $0.isNumber || "._-}".contains($0) }
                                ?? false
                        }
                }.map { file.breach(line, $0) }
            }
        }
    }

    private static func watched(_ files: [SourceFile]) -> [SourceFile] {
        files.filter { !exempt.contains($0.path) }
    }

    private static func isWord(_ word: String, in text: String) -> Bool {
        guard text.contains(word) else { return false }
        return text.ranges(of: word).contains { range in
            let neighbours = [text[..<range.lowerBound].last, text[range.upperBound...].first].compactMap(\.self)
            return neighbours.allSatisfy { !$0.isLetter && !$0.isNumber && $0 != "_" }
        }
    }
}

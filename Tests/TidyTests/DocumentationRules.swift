/// Who reads a module from outside finds a sentence at everything that can be used.
enum DocumentationRules {
    /// Declarations that another module can see, without a word on what they are for.
    ///
    /// What a protocol asks for is explained there. A run of stored properties may share the comment of its first, or
    /// of the type that they are the beginning of: "the name" says no more than `name` does.
    static func undocumented(_ files: [SourceFile]) -> [String] {
        let asked = requirements(of: files)
        let declaration =
            #/
            ^\s*(?:package|public)\s+(?:\w+(?:\(\w+\))?\s+)*
            (?:(?:func|var|let|struct|class|enum|protocol|actor|typealias)\s+`?([^\s(<:`]+)|init[?]?\((\w*)|subscript)
            /#
        return files.flatMap { file -> [String] in
            let code = file.swift.code
            return code.indices.compactMap { line in
                guard code[line].contains("package ") || code[line].contains("public "),
                    let match = code[line].firstMatch(of: declaration)
                else {
                    return nil
                }
                let name = match.1.map(String.init) ?? match.2.map { "init(" + $0 } ?? "subscript"
                let isFine = asked.contains(name) || isDocumented(line, in: file) || sharesComment(line, in: file)
                return isFine ? nil : file.breach(line, "\(name) is not documented")
            }
        }
    }

    private static func isDocumented(_ line: Int, in file: SourceFile) -> Bool {
        var above = line - 1
        while above >= 0, file.swift.code[above].trimmingPrefix(/\s+/).hasPrefix("@") { above -= 1 }
        return above >= 0 && file.swift.comments[above].hasPrefix("///")
    }

    private static func sharesComment(_ line: Int, in file: SourceFile) -> Bool {
        let code = file.swift.code
        guard isStoredProperty(code[line]) else { return false }
        var above = line
        while above > 0, isStoredProperty(code[above]), !isDocumented(above, in: file) { above -= 1 }
        let isType = code[above].contains(/\b(?:struct|class|enum|actor|extension)\s.*\{\s*$/)
        return (isStoredProperty(code[above]) || isType) && isDocumented(above, in: file)
    }

    private static func isStoredProperty(_ code: String) -> Bool {
        code.contains(/\b(?:let|var)\s/) && !code.contains(/\{\s*(?:$|[^\s}])/)
    }

    /// The names that protocols ask for: ours, those of the standard library and of Swift Testing.
    private static func requirements(of files: [SourceFile]) -> Set<String> {
        var names: Set<String> = [
            "description", "debugDescription", "customMirror", "errorDescription", "id", "rawValue", "startIndex",
            "endIndex", "subscript", "hash", "encode", "==", "<", "+", "-", "init(from", "init(rawValue",
            "init(stringLiteral", "init(stringInterpolation", "init(literalCapacity", "appendLiteral",
            "isRecursive", "scopeProvider", "provideScope",
        ]
        for code in files.map(\.swift.code) {
            for begin in code.indices where code[begin].contains("protocol ") {
                let body = code[begin...].dropFirst().prefix { !$0.hasPrefix("}") }
                for line in body {
                    guard let match = line.firstMatch(of: /\b(?:(?:func|var)\s+(\w+)|init\((\w+))/) else { continue }
                    names.insert(match.1.map(String.init) ?? match.2.map { "init(" + $0 } ?? "")
                }
            }
        }
        return names
    }
}

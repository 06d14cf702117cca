/// How large a file, a function, a line and a folder may be.
enum SizeRules {
    static let linesMax = 300
    static let functionLinesMax = 50
    static let columnsMax = 120
    static let folderFilesMax = 15
    static let depthMax = 3
    private static let folders = ["Sources", "Tests", "Benchmarks", "GatepostClient", "jobs", "migrations"]
    /// What pg_dump writes, which breaks no line and knows no limit.
    static let generated: Set<String> = ["docs/schema.sql"]

    /// What is read line by line; prose is wrapped by whoever shows it.
    static func isCode(_ file: SourceFile) -> Bool {
        guard !generated.contains(file.path) else { return false }
        return ["swift", "sql", "h", "c", "py", "sh"].contains(String(file.path.fileExtension))
            || ["Makefile", "setup", "run"].contains(file.name)
    }

    static func longFiles(_ files: [SourceFile]) -> [String] {
        files.filter(isCode).filter { $0.lines.count - 1 > linesMax }.map {
            $0.breach(0, "\($0.lines.count - 1) lines")
        }
    }

    static func longLines(_ files: [SourceFile]) -> [String] {
        files.filter(isCode).flatMap { file in
            file.lines.enumerated().filter { $0.element.count > columnsMax }.map {
                file.breach($0.offset, "\($0.element.count) columns")
            }
        }
    }

    /// A function counts from its first line to its closing brace, an accessor too.
    static func longFunctions(_ files: [SourceFile]) -> [String] {
        files.flatMap { file -> [String] in
            let code = file.swift.code
            return code.indices.compactMap { line in
                guard ["func ", "init", "subscript", "var "].contains(where: code[line].contains),
                    code[line].contains(/(^|\s)(func\s|init[?(<]|deinit\s|subscript[(<]|var\s[^=]*\{\s*$)/)
                else {
                    return nil
                }
                guard let length = bodyLength(code, from: line), length > functionLinesMax else { return nil }
                return file.breach(line, "\(length) lines in a function")
            }
        }
    }

    /// The lines up to the brace that closes the first one opened; nil for a declaration without a body.
    private static func bodyLength(_ code: [String], from begin: Int) -> Int? {
        var depth = 0
        for line in code.indices[begin...] {
            for character in code[line] where character == "{" || character == "}" {
                depth += character == "{" ? 1 : -1
                if depth <= 0 { return depth < 0 ? nil : line - begin + 1 }
            }
            let isBlank = code[line].allSatisfy(\.isWhitespace)
            if depth == 0, isBlank { return nil }
        }
        return nil
    }

    /// Migrations are only ever added to, so their folder grows.
    static func fullFolders(_ files: [SourceFile]) -> [String] {
        // Migrations are a row in time, and the jobs are a list: neither is divided.
        Dictionary(
            grouping: files.filter { isInTree($0) && !["migrations", "jobs"].contains($0.folder) }, by: \.folder
        )
        .filter { $0.value.count > folderFilesMax }
        .map { "\($0.key): \($0.value.count) files" }.sorted()
    }

    /// Folders of code below `Sources` or `Tests`, the module's own among them.
    static func deepFolders(_ files: [SourceFile]) -> [String] {
        Set(files.filter { isInTree($0) && isCode($0) }.map(\.folder)).filter {
            $0.split(separator: "/").count - 1 > depthMax
        }.sorted()
    }

    private static func isInTree(_ file: SourceFile) -> Bool {
        folders.contains { file.path.hasPrefix($0 + "/") }
    }
}

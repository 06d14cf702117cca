/// What is not written in Swift here, though the compiler would take it.
enum LanguageRules {
    /// The modules that wrap C.
    static let unsafeModules: Set<String> = ["Postgres", "Curl", "Passwords", "DomainNames", "QRCode", "GatepostDev"]
    /// An executor runs jobs, which can be done only so.
    static let unsafeFiles: Set<String> = ["Sources/GatepostAPI/EventLoopExecutor.swift"]
    /// Files that measure how long something takes by the monotonic clock, which is no time of day.
    static let stopwatches: Set<String> = [
        "Sources/Postgres/Threads/Deadline.swift", "Sources/Curl/Stopwatch.swift",
        "Sources/GatepostStore/DatabaseClock.swift",
    ]

    /// Lines of code in which a pattern is found.
    ///
    /// Every match holds one of the words, which are looked for first because that is a hundred times as fast.
    static func lines(
        in files: [SourceFile], words: [String], pattern: Regex<Substring>, _ what: String
    ) -> [String] {
        files.flatMap { file in
            file.swift.code.enumerated()
                .filter { line in words.contains { line.element.contains($0) } && line.element.contains(pattern) }
                .map { file.breach($0.offset, what) }
        }
    }

    static func published(_ files: [SourceFile]) -> [String] {
        let pattern =
            #/
            (?:^|[^.\w`])(?:public|open)\s+(?:\w+\s+)*
            (?:func|var|let|class|struct|enum|init|protocol|import|extension)\b
            /#
        return lines(in: files, words: ["public", "open"], pattern: pattern, "public")
    }

    static func forced(_ files: [SourceFile]) -> [String] {
        lines(in: files, words: ["!"], pattern: /[\w)\]>][!](?!=)/, "forced")
    }

    static func unsafeCode(_ files: [SourceFile]) -> [String] {
        let watched = files.filter { !unsafeModules.contains($0.module ?? "") && !unsafeFiles.contains($0.path) }
        return lines(in: watched, words: ["unsafe"], pattern: /\bunsafe\b/, "unsafe")
    }

    /// Time is an input: only `WallClock`, the client's clock and the stopwatches ask for it.
    static func clockReads(_ files: [SourceFile]) -> [String] {
        let watched = files.filter {
            !["WallClock.swift", "ClientClock.swift"].contains($0.name) && !stopwatches.contains($0.path)
        }
        let pattern =
            #/
            \bDate\(\)|\b(?:Date|ContinuousClock|SuspendingClock)(?:\(\))?\.now\b
            |(?:^|[\s(:,=])\.now\b(?!\()|\bgettimeofday\b|\bCLOCK_REALTIME\b|SinceNow\b
            /#
        return lines(
            in: watched, words: ["Date", "now", "gettimeofday", "CLOCK_REALTIME", "SinceNow"], pattern: pattern,
            "reads a clock")
    }

    /// Passwords are hashed as strongly as OWASP asks for; only tests that hash thousands of times take less.
    static func hashStrengths(_ files: [SourceFile]) -> [String] {
        lines(
            in: files.filter { $0.module != "Passwords" }, words: ["trength"],
            pattern: /\bHashStrength\b|\bstrength:/, "chooses how strong a hash is")
    }

    static func prints(_ files: [SourceFile]) -> [String] {
        lines(
            in: files.filter { $0.module != "gatepost" }, words: ["rint("],
            pattern: /(?:^|[^.\w])(?:print|debugPrint)\(/, "print")
    }
}

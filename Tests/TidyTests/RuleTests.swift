import Testing

/// The rules find what they are for, and leave alone what only looks like it.
@Suite("Rules")
struct RuleTests {
    @Test func `text is taken apart into code, comments and strings`() {
        let text = SwiftText(
            ##"""
            let a = "one \(f("two")) three" // four "five"
            /* six /* seven */ "eight" */ let b = #"nine \(ten) \#(eleven)"#
            let c = """
                twelve "thirteen" \(g()) // fourteen
                """
            """##)
        #expect(
            text.code == [
                #"let a = "\(f(""))" "#, ###" let b = #"\#(eleven)"#"###, #"let c = """"#, #"\(g())"#, #"""""#,
            ])
        #expect(
            text.strings == ["one two three", #"nine \(ten) "#, "", #"    twelve "thirteen"  // fourteen"#, "    "])
        #expect(text.comments == [#"// four "five""#, #"/* six /* seven */ "eight" */"#, "", "", ""])
    }

    @Test func `sizes are counted`() {
        let body = Array(repeating: "    work()", count: 49).joined(separator: "\n")
        let long = swift("func f() {\n\(body)\n}\nfunc g() {}\n\(String(repeating: "x", count: 121))\n")
        #expect(SizeRules.longFunctions([long]) == ["Sources/GatepostFlows/A.swift:1: 51 lines in a function"])
        #expect(SizeRules.longLines([long]) == ["Sources/GatepostFlows/A.swift:53: 121 columns"])
        #expect(SizeRules.longFunctions([swift("func f() {\n\(body.dropFirst(11))\n}\n")]).isEmpty)
        #expect(SizeRules.longFiles([swift(String(repeating: "\n", count: 300))]).isEmpty)
        #expect(SizeRules.longFiles([swift(String(repeating: "\n", count: 301))]).count == 1)
        let schema = String(repeating: String(repeating: "x", count: 121) + "\n", count: 301)
        for (path, count) in [("docs/schema.sql", 0), ("docs/other.sql", 302)] {
            let file = [SourceFile(path: path, text: schema)]
            #expect(SizeRules.longFiles(file).count + SizeRules.longLines(file).count == count)
        }
        #expect(SizeRules.fullFolders((0..<16).map { swift("", "Sources/X/\($0).swift") }) == ["Sources/X: 16 files"])
        #expect(SizeRules.deepFolders([swift("", "Sources/X/a/b/c/D.swift")]) == ["Sources/X/a/b/c"])
    }

    @Test func `imports are found in every form`() {
        let file = swift(
            "import Curl\npackage import GatepostStore\n@testable import Postgres\nimport struct Passwords.P")
        #expect(ImportRules.imports(of: file).map(\.module) == ["Curl", "GatepostStore", "Postgres", "Passwords"])
        #expect(ImportRules.forbidden([file]).count == 1)
        #expect(ImportRules.strayPackages([swift("import Hummingbird")]).count == 1)
        #expect(ImportRules.unused([file]).contains("GatepostFlows imports no GatepostModel"))
    }

    @Test(arguments: ["public struct A {}", "    public static func f()", "open class B {}"])
    func `public is found`(line: String) {
        #expect(LanguageRules.published([swift(line)]).count == 1)
    }

    @Test(arguments: ["try! f()", "a as! B", "a!.b", "f()!", "a[0]! + 1", "let a: String! = nil"])
    func `force is found`(line: String) {
        #expect(LanguageRules.forced([swift(line)]).count == 1)
    }

    @Test(arguments: [
        "Date()", "f(at: .now)", "Date.now", "let a: Date = .now", "ContinuousClock.now", "ContinuousClock().now",
    ])
    func `reading a clock is found`(line: String) {
        #expect(LanguageRules.clockReads([swift(line)]).count == 1)
    }

    @Test(
        arguments: [
            "a != b", "!a", "if !f() {", "clock.now", "unsafeName()", "blueprint(1)", "logger.print(1)", "case .public",
            "// public func: try! unsafe Date()", "\"public func f() try! unsafe print( Date() .now\"",
        ])
    func `what only looks like a breach is none`(line: String) {
        let file = [swift(line)]
        let breaches =
            LanguageRules.published(file) + LanguageRules.forced(file) + LanguageRules.clockReads(file)
            + LanguageRules.unsafeCode(file) + LanguageRules.prints(file)
        #expect(breaches == [])
    }

    @Test func `a declaration without documentation is found`() {
        let bare = [
            "package func f() {}", "package static let a = 1", "package private(set) var b: Int", "package init() {}",
        ]
        for line in bare {
            #expect(DocumentationRules.undocumented([swift(line)]).count == 1, "\(line)")
            #expect(
                DocumentationRules.undocumented([swift("/// Says.\n@discardableResult\n" + line)]).isEmpty, "\(line)")
        }
        let fine = ["package import A", "package var description: String {", "func f() {}", "package extension A {"]
        for line in fine { #expect(DocumentationRules.undocumented([swift(line)]).isEmpty, "\(line)") }
        #expect(LanguageRules.unsafeCode([swift("let a = unsafe f()")]).count == 1)
        #expect(LanguageRules.prints([swift("print(1)")]).count == 1)
        #expect(
            LanguageRules.hashStrengths([swift("PasswordHasher(threads: 1, queueMax: 1, strength: .low)")]).count == 1)
    }

    @Test func `writes, indexes and jobs are held to their rules`() {
        let migration = SourceFile(
            path: "migrations/0001_a.sql",
            text: """
                create table user_pets (
                create table outbox (
                create index a on b (c);
                -- Read by x.
                create index d on b (c);
                -- Keeps one.
                create unique index e on b (c);
                """)
        let write = "let a: SQL = \"\"\"\n    update user_pets set\n    insert into outbox\n    \"\"\""
        func writes(_ path: String) -> Int { SQLRules.strayWrites([migration, swift(write, path)]).count }
        #expect(writes("Sources/GatepostStore/UserPets.swift") == 1)
        #expect(writes("Sources/GatepostStore/UserPets+find.swift") == 1)
        #expect(writes("Sources/GatepostOutbox/Outbox.swift") == 1)
        #expect(writes("Sources/GatepostStore/Users.swift") == 2)
        #expect(SQLRules.unexplainedIndexes([migration]).map { $0.prefix(23) } == ["migrations/0001_a.sql:3"])
        let job = SourceFile(path: "jobs/feed-pets.sql", text: "")
        #expect(SQLRules.untestedJobs([job]).count == 1)
        #expect(SQLRules.untestedJobs([job, swift("", "Tests/X/FeedPetsTests.swift")]).isEmpty)
    }

    @Test func `a run of stored properties shares a comment`() {
        let run =
            "/// Says.\npackage struct A {\n    package let a: Int\n    package var b = 1\n\n    package let c: Int\n}"
        #expect(DocumentationRules.undocumented([swift(run)]).map { $0.split(separator: " ")[1] } == ["c"])
        let asked = "protocol P {\n    func f(a: Int)\n}\npackage func f(a: Int) {}\npackage func g() {}"
        #expect(DocumentationRules.undocumented([swift(asked)]).map { $0.split(separator: " ")[1] } == ["g"])
    }

    @Test func `words are found whole`() {
        #expect(WordRules.words(WordRules.unfinished, in: [swift("// TODO: more")]).count == 1)
        #expect(WordRules.words(WordRules.unfinished, in: [swift("TODOS, TODO_X")]).isEmpty)
        #expect(WordRules.paths(in: [swift("\"/home/x\"")]).count == 1)
        #expect(WordRules.paths(in: [swift("a/home/x")]).isEmpty)
        for text in ["see Issue 12", "another agent", "Agents do", "The Lead says"] {
            #expect(WordRules.organisationWords(in: [swift(text)]).count == 1, "\(text)")
        }
        for text in ["an issuer 12", "the user agent", "User-Agent: x", "userAgent", "user_agent", "urgent", "leads"] {
            #expect(WordRules.organisationWords(in: [swift(text)]).isEmpty, "\(text)")
        }
    }

    private func swift(_ text: String, _ path: String = "Sources/GatepostFlows/A.swift") -> SourceFile {
        SourceFile(path: path, text: text)
    }
}

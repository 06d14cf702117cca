import Testing

/// The style guide as a test: each rule reports all its breaches at once, each with file and line.
@Suite("Tidy", .timeLimit(.minutes(5)))
struct TidyTests {
    let files = SourceTree.shared.files
    let sources = ["Sources/", SourceTree.client + "Sources/"].flatMap { SourceTree.shared.swift(below: $0) }
    let code = SourceTree.shared.swift()

    @Test func `the tree is read`() {
        #expect(files.contains { $0.path == "Package.swift" } && sources.count > 50)
    }

    @Test func `a file has at most 300 lines`() {
        expectNone(SizeRules.longFiles(files))
    }

    @Test func `a line has at most 120 columns`() {
        expectNone(SizeRules.longLines(files))
    }

    @Test func `a function has at most 50 lines`() {
        expectNone(SizeRules.longFunctions(code))
    }

    @Test func `a folder has at most 15 files`() {
        expectNone(SizeRules.fullFolders(files))
    }

    @Test func `folders are at most three deep`() {
        expectNone(SizeRules.deepFolders(files))
    }

    @Test func `modules import only what the table of imports says`() {
        expectNone(ImportRules.forbidden(sources))
    }

    @Test func `the table of imports says only what is so`() {
        expectNone(ImportRules.unused(sources))
    }

    @Test func `only the API and the program know Hummingbird, and each package has its home`() {
        expectNone(ImportRules.strayPackages(sources))
    }

    @Test func `nothing is public but in the client's package`() {
        expectNone(LanguageRules.published(code.filter { !$0.path.hasPrefix(SourceTree.client) }))
    }

    @Test func `what other modules see is documented`() {
        expectNone(DocumentationRules.undocumented(code))
    }

    @Test func `nothing is forced`() {
        expectNone(LanguageRules.forced(code))
    }

    @Test func `unsafe code is where C is wrapped`() {
        expectNone(LanguageRules.unsafeCode(sources))
    }

    @Test func `nothing but WallClock reads a clock`() {
        expectNone(LanguageRules.clockReads(sources))
    }

    @Test func `only tests choose how strong a hash is`() {
        expectNone(LanguageRules.hashStrengths(sources))
    }

    @Test func `only the program prints`() {
        expectNone(LanguageRules.prints(sources))
    }

    @Test func `a table is written in its own file`() {
        expectNone(SQLRules.strayWrites(files))
    }

    @Test func `each index names its reader`() {
        expectNone(SQLRules.unexplainedIndexes(files))
    }

    @Test func `each job has a test`() {
        expectNone(SQLRules.untestedJobs(files))
    }

    @Test func `nothing is left for later`() {
        expectNone(WordRules.words(WordRules.unfinished, in: files))
    }

    @Test func `no text names a path of one machine`() {
        expectNone(WordRules.paths(in: files))
    }

    @Test func `no text says how the work is organised`() {
        expectNone(WordRules.organisationWords(in: files))
    }
}

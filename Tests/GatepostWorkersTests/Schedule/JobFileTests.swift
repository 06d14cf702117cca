import GatepostModel
import GatepostWorkers
import Postgres
import Testing

@Suite("Job file")
struct JobFileTests {
    static let good = """
        -- Deletes notes a day
        -- after they expired.
        --
        -- Why: nobody reads them; note: a colon in prose is no key.
        --
        -- schedule:  */5 * * * *
        -- batch:     500
        -- retention: 24 hours
        -- depth:     3
        -- timeout:   2 minutes

        delete from notes
         where expires_at < :'now'::timestamptz - :'retention'::interval
           and depth > :depth
         limit :batch
        returning app_id;
        """

    @Test func `a good file is read`() throws {
        let job = try JobFile(name: "delete-expired-notes", text: Self.good)

        #expect(job.name == "delete-expired-notes")
        #expect(job.summary == "Deletes notes a day after they expired.")
        #expect(job.schedule.description == "*/5 * * * *")
        #expect(job.batchSize == 500)
        #expect(job.timeout == .minutes(2))
        #expect(job.parameters == ["retention": "24 hours", "depth": "3"])
    }

    @Test func `each use of a variable becomes a parameter of its own`() throws {
        let sql = try JobFile(name: "delete-expired-notes", text: Self.good).sql(at: Instant(seconds: 0))

        #expect(sql.text.contains("expires_at < $1::timestamptz - $2::interval"))
        #expect(sql.text.contains("depth > $3"))
        #expect(sql.text.contains("limit $4"))
        #expect(!sql.text.contains(";"))
        // Quoted ones are read by the statement like a literal; plain ones are numbers.
        #expect(sql.parameters.map(\.type) == [.inferred, .inferred, .int8, .int8])
    }

    /// Text in which a colon, a semicolon or a dollar sign means nothing.
    @Test(arguments: [
        "'it''s :batch; :''now'' '", "E'a\\' :x; '", "e'a'':x; \\\\'", "\"a \"\" :x;\"", "$$ :x; ' $$",
        "$t$ :x; $$ $t$", "a::int", "a[1:2]", "-- :x; '\n", "/* :x; /* nested ' */ :y */", "f(a := 1)",
        "U&'\\0041:x;'", "a$1", "date'x:y'",
    ])
    func `what looks like a variable within other things is none`(_ text: String) throws {
        let job = try JobFile(name: "try-something", text: Self.file("select app_id, \(text) from t limit :batch"))

        #expect(job.sql(at: Instant(seconds: 0)).parameters.count == 1)
    }

    /// A mistake, the line it is in, and what is said about it.
    struct Mistake: CustomTestStringConvertible {
        let text: String
        let line: Int
        let reason: JobFileError.Reason
        let testDescription: String

        init(_ name: String, _ text: String, _ line: Int, _ reason: JobFileError.Reason) {
            (self.text, self.line, self.reason, testDescription) = (text, line, reason, name)
        }
    }

    static let mistakes = [
        Mistake("no header", "delete from t limit :batch;", 1, .headerIncomplete),
        Mistake("no reason", "-- A job.\n--\n-- batch: 1\n\nselect 1;", 1, .headerIncomplete),
        Mistake("no schedule", file("select :batch", without: "schedule"), 6, .missingKey("schedule")),
        Mistake("no batch", file("select :batch", without: "batch"), 6, .missingKey("batch")),
        Mistake("no timeout", file("select :batch", without: "timeout"), 6, .missingKey("timeout")),
        Mistake("prose among keys", file("select :batch", plus: "and so on"), 8, .notAKeyLine),
        Mistake("key without value", file("select :batch", plus: "age:"), 8, .notAKeyLine),
        Mistake("key twice", file("select :batch", plus: "batch: 7"), 8, .duplicateKey("batch")),
        Mistake("now stated", file("select :batch", plus: "now: today"), 8, .nowDeclared),
        Mistake("bad schedule", file("select :batch", schedule: "0 0 31 2 *"), 5, .schedule(.noSuchDate)),
        Mistake(
            "batch is no number", file("select :batch", batch: "many"), 6,
            .malformedValue("batch", "a number from 1 to 10000")),
        Mistake(
            "batch too large", file("select :batch", batch: "10001"), 6,
            .malformedValue("batch", "a number from 1 to 10000")),
        Mistake(
            "timeout too long", file("select :batch", timeout: "11 minutes"), 7,
            .malformedValue("timeout", "'10 seconds', at most 600 seconds")),
        Mistake(
            "timeout without unit", file("select :batch", timeout: "10"), 7,
            .malformedValue("timeout", "'10 seconds', at most 600 seconds")),
        Mistake("unused parameter", file("select :batch", plus: "age: 3 days"), 8, .unusedParameter("age")),
        Mistake("unused batch", file("select 1"), 6, .unusedParameter("batch")),
        Mistake("undeclared", file("select :batch,\n :'age'"), 10, .undeclaredParameter("age")),
        Mistake("runner's key used", file("select :batch, :'timeout'"), 9, .undeclaredParameter("timeout")),
        Mistake("now without quotes", file("select :batch,\n\n :now"), 11, .notANumber("now")),
        Mistake("text without quotes", file("select :batch, :age", plus: "age: 3 days"), 10, .notANumber("age")),
        Mistake("no statement", file(""), 9, .noStatement),
        Mistake("only comments", file("-- nothing\n/* at all */"), 10, .noStatement),
        Mistake("no semicolon", header() + "\nselect :batch", 9, .noSemicolon),
        Mistake("second statement", file("select :batch;\nselect 2"), 10, .secondStatement),
        Mistake("second semicolon", file("select :batch;"), 9, .secondStatement),
        Mistake("psql command", file("\\set x 1\nselect :batch"), 9, .metaCommand),
        Mistake("test of a variable", file("select :{?batch}"), 9, .metaCommand),
        Mistake("identifier", file("select :batch from\n:\"table\""), 10, .identifierVariable),
        Mistake("positional", file("select :batch, $1"), 9, .positionalParameter),
        Mistake("open literal", file("select :batch,\n 'abc\n\n"), 10, .unclosed("literal")),
        Mistake("open identifier", file("select :batch, \"abc"), 9, .unclosed("quoted identifier")),
        Mistake("open comment", file("select :batch /* abc /* */"), 9, .unclosed("comment")),
        Mistake("open dollar quote", file("select :batch, $x$ abc $y$"), 9, .unclosed("dollar quote")),
        Mistake("open parameter", file("select :'batch"), 9, .unclosed("parameter")),
        Mistake("too long", file("select :batch, '" + String(repeating: "x", count: 70_000) + "'"), 1, .tooLong),
    ]

    @Test(arguments: mistakes) func `a mistake is found and its line is named`(_ mistake: Mistake) {
        #expect(throws: JobFileError(file: "try-something.sql", line: mistake.line, reason: mistake.reason)) {
            try JobFile(name: "try-something", text: mistake.text)
        }
    }

    @Test(arguments: [
        "Delete-flows", "delete_flows", "delete", "delete-", "-flows", "delete--flows", "2-flows", "a-b c",
    ])
    func `a name is two words or more in kebab case`(_ name: String) {
        #expect(throws: JobFileError(file: "\(name).sql", line: 1, reason: .nameNotKebabCase)) {
            try JobFile(name: name, text: Self.good)
        }
    }

    @Test func `an error reads as file, line and reason`() {
        let error = JobFileError(file: "end-all.sql", line: 12, reason: .undeclaredParameter("age"))

        #expect(error.description == "end-all.sql:12: parameter 'age' is used, but the header does not state it")
    }

    /// A header of seven lines, or eight with one more key; the statement then begins in line nine, or ten.
    private static func header(
        schedule: String = "* * * * *", batch: String = "10", timeout: String = "1 second", without: String = "",
        plus: String? = nil
    ) -> String {
        let keys = [("schedule", schedule), ("batch", batch), ("timeout", timeout)]
            .filter { $0.0 != without }
            .map { "-- \($0.0): \($0.1)" }
        let lines =
            ["-- Tries something.", "--", "-- To see it fail.", "--"] + keys + (plus.map { ["-- \($0)"] } ?? [])
        return lines.joined(separator: "\n") + "\n"
    }

    private static func file(
        _ statement: String, schedule: String = "* * * * *", batch: String = "10", timeout: String = "1 second",
        without: String = "", plus: String? = nil
    ) -> String {
        let header = header(schedule: schedule, batch: batch, timeout: timeout, without: without, plus: plus)
        return header + "\n" + (statement.isEmpty ? "" : statement + ";")
    }
}

import Postgres
import Testing

/// How statements are put together; no database is needed.
@Suite struct SQLTests {
    @Test func `an interpolated value becomes a parameter`() {
        let name = "x'; drop table users; --"
        let statement: SQL = "select * from users where name = \(name) and age > \(3)"
        #expect(statement.text == "select * from users where name = $1 and age > $2")
        #expect(statement.parameters.map(\.type) == [.inferred, .int8])
    }

    @Test func `a text literal that is interpolated becomes a parameter too`() {
        let statement: SQL = "select \("users; drop table users")"
        #expect(statement.text == "select $1")
    }

    @Test func `a spliced statement's parameters are counted on`() {
        let condition: SQL = "b = \(2) and c = '$1'"
        let statement: SQL = "select \(1) where \(condition) or \(condition) or d = \(4)"
        #expect(statement.text == "select $1 where b = $2 and c = '$1' or b = $3 and c = '$1' or d = $4")
        #expect(statement.parameters.count == 4)
    }

    @Test func `a statement that begins with a spliced one is renumbered, too, where it is spliced`() {
        let inner: SQL = "a = \(1)"
        let middle: SQL = "not (\(inner)) or b = \(2)"
        let outer: SQL = "select \(0) where \(middle) and \("c is null" as SQL)"
        #expect(middle.text == "not (a = $1) or b = $2")
        #expect(outer.text == "select $1 where not (a = $2) or b = $3 and c is null")
    }

    @Test func `more than nine parameters are renumbered whole`() {
        let ten = SQL.joined((1...10).map { "\($0)" })
        let statement: SQL = "select \(0), \(ten), \(11)"
        #expect(statement.text == "select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12")
    }

    @Test func `statements are joined by a separator`() {
        let statement = SQL.joined(["a = \(1)", "b = \("x")", "c"], separator: " and ")
        #expect(statement.text == "a = $1 and b = $2 and c")
        #expect(SQL.joined([]).text == "")
    }

    @Test func `a trusted text keeps its numbers and is renumbered when spliced`() {
        let job = SQL.trusted("delete from t where a < $1 and b > $2 and c = $1", parameters: 1, "x")
        let statement: SQL = "with z as (select \(9)) \(job)"
        #expect(job.text == "delete from t where a < $1 and b > $2 and c = $1")
        #expect(statement.text == "with z as (select $1) delete from t where a < $2 and b > $3 and c = $2")
        #expect(SQL.trusted("select $$a$1b$$").text == "select $$a$1b$$")
    }

    @Test func `null keeps the type of its value`() {
        let nothing: Int32? = nil
        let something: Int32? = 1
        let statement: SQL = "select \(nothing), \(something), \([Bool]?.none)"
        #expect(statement.parameters.map(\.isNull) == [true, false, true])
        #expect(statement.parameters[0].type == .int4)
        #expect(statement.parameters[1].type == .int4)
    }

    @Test func `a configuration does not print its connection string`() {
        var configuration = PostgresConfiguration(connectionString: "postgresql://u:hunter2@h/d")
        configuration.queuedMax = 5
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!"\(configuration) \(String(reflecting: configuration)) \(dumped)".contains("hunter2"))
    }
}

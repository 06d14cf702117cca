import Postgres
import Testing

/// Every kind of value goes to Postgres and comes back as it was.
@Suite struct ValueTests {
    @Test(arguments: Mode.allCases)
    func `numbers come back`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            for number in [Int.min, -1, 0, 1, Int.max] { #expect(try await pool.value("select \(number)") == number) }
            for number in [Int32.min, Int32.max] { #expect(try await pool.value("select \(number)") == number) }
            for number in [Int16.min, Int16.max] { #expect(try await pool.value("select \(number)") == number) }
            for number in [UInt64.min, 1 << 63, .max] { #expect(try await pool.value("select \(number)") == number) }
            for number in [-0.0, 1.5, .pi, .infinity, .leastNonzeroMagnitude] {
                #expect(try await pool.value("select \(number)") == number)
            }
            #expect(try await pool.value("select \(Double.nan)", as: Double.self).isNaN)
            #expect(try await pool.value("select 1.5::float4", as: Double.self) == 1.5)
            #expect(try await pool.value("select \(true)") == true)
            #expect(try await pool.value("select \(false)") == false)
            #expect(try await pool.value("select \(Int.max)::text") == "9223372036854775807")
            #expect(try await pool.value("select \(UInt64.max)::text") == "18446744073709551615")
        }
    }

    @Test func `an integer reads narrower columns, not wider ones`() async throws {
        try await withPool { pool async throws in
            #expect(try await pool.value("select 7::int2", as: Int.self) == 7)
            #expect(try await pool.value("select -7::int4", as: Int64.self) == -7)
            #expect(try await pool.value("select -7::int2", as: Int32.self) == -7)
            let error = await failure { try await pool.value("select 7::int8 as seven", as: Int32.self) }
            #expect(error?.kind == .decoding(column: "seven", expected: "int4, not null"))
            #expect(error?.statement == "select 7::int8 as seven")
        }
    }

    @Test(arguments: Mode.allCases)
    func `text comes back, whatever is in it`(_ mode: Mode) async throws {
        let texts = [
            "", "x", "'; drop table users; --", "\\", "$1",
            "naïve 👩‍👩‍👧 \u{301}\u{feff}", "a\tb\nc\u{1}", "\"quoted\"",
            String(repeating: "long ", count: 20_000),
        ]
        try await withPool(mode) { pool async throws in
            for text in texts { #expect(try await pool.value("select \(text)::text") == text) }
            #expect(try await pool.value("select \(texts)") == texts)
            #expect(try await pool.value("select 'n'::name", as: String.self) == "n")
            #expect(try await pool.value("select 'v'::varchar(3)", as: String.self) == "v")
        }
    }

    @Test(arguments: Mode.allCases)
    func `the statement decides what a text is`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            #expect(try await pool.value("select \("{\"a\": [1]}")::jsonb", as: String.self) == "{\"a\": [1]}")
            #expect(try await pool.value("select \("[1]")::jsonb", as: [UInt8].self) == Array("[1]".utf8))
            #expect(try await pool.value("select \("[1 ]")::json", as: String.self) == "[1 ]")
            #expect(try await pool.value("select host(\("10.0.0.1")::inet)", as: String.self) == "10.0.0.1")
            #expect(try await pool.value("select \("1 hour")::interval = interval '60 minutes'", as: Bool.self))
        }
    }

    @Test(arguments: Mode.allCases)
    func `bytes come back`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            for bytes: [UInt8] in [[], [0], Array(0...255), Array(repeating: 7, count: 300_000)] {
                #expect(try await pool.value("select \(bytes)") == bytes)
            }
            #expect(try await pool.value("select encode(\([0, 255] as [UInt8]), 'hex')", as: String.self) == "00ff")
        }
    }

    @Test(arguments: Mode.allCases)
    func `null comes back as nil, and as an error where a value is needed`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            #expect(try await pool.value("select \(Int?.none)", as: Int?.self) == nil)
            #expect(try await pool.value("select \(String?.none)::text", as: String?.self) == nil)
            #expect(try await pool.value("select \([UInt8]?.none)", as: [UInt8]?.self) == nil)
            #expect(try await pool.value("select \([Int]?.none)", as: [Int]?.self) == nil)
            #expect(try await pool.value("select \(Int?(3))", as: Int?.self) == 3)
            for error in [
                await failure { try await pool.value("select null::int8 as n", as: Int.self) },
                await failure { try await pool.value("select null::bool as n", as: Bool.self) },
            ] {
                guard case .decoding(column: "n", expected: let expected) = error?.kind else {
                    Issue.record("not a decoding error")
                    continue
                }
                #expect(expected.hasSuffix("not null"))
            }
            let text = await failure { try await pool.value("select null::text as n", as: String.self) }
            #expect(text?.kind == .decoding(column: "n", expected: "text, not null"))
        }
    }

    @Test(arguments: Mode.allCases)
    func `arrays come back, also empty ones and with nulls in them`(_ mode: Mode) async throws {
        try await withPool(mode) { pool async throws in
            #expect(try await pool.value("select \([1, -2, 3])") == [1, -2, 3])
            #expect(try await pool.value("select \([Int]())") == [Int]())
            #expect(try await pool.value("select \([1, nil, 3] as [Int?])") == [1, nil, 3])
            #expect(try await pool.value("select \([1, 2] as [Int32])") == [1, 2] as [Int32])
            #expect(try await pool.value("select \([true, nil])") == [true, nil])
            #expect(
                try await pool.value("select \([[1, 2], [], [0]] as [[UInt8]])") == [[1, 2], [], [0]] as [[UInt8]])
            #expect(try await pool.value("select \(["a", nil, "NULL", "{}"])") == ["a", nil, "NULL", "{}"])
            #expect(try await pool.value("select array_length(\([5, 6, 7]), 1)", as: Int.self) == 3)
        }
    }

    @Test func `an array is not read from what is none`() async throws {
        try await withPool { pool async throws in
            let errors = [
                await failure { try await pool.value("select 7 as a", as: [Int].self) },
                await failure {
                    _ = try await pool.value("select '00000000-0000-0000-0000-000000000000'::uuid as a", as: [Int].self)
                },
                await failure { try await pool.value("select array[[1],[2]] as a", as: [Int].self) },
                await failure { try await pool.value("select array['x'] as a", as: [Int].self) },
                await failure { try await pool.value("select array[1, null] as a", as: [Int].self) },
            ]
            for error in errors {
                guard case .decoding(column: "a", _) = error?.kind else {
                    Issue.record("not a decoding error: \(String(describing: error))")
                    continue
                }
            }
        }
    }

    @Test func `a type of the caller's own can be a value`() async throws {
        try await withPool { pool async throws in
            let moment = Moment(microseconds: -1)
            #expect(try await pool.value("select \(moment)") == moment)
            #expect(try await pool.value("select \([moment])") == [moment])
            #expect(try await pool.value("select \(moment) = '1999-12-31 23:59:59.999999Z'", as: Bool.self))
            let identifier = Identifier(bits: 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)
            #expect(try await pool.value("select \(identifier)") == identifier)
            #expect(try await pool.value("select \([identifier, nil])") == [identifier, nil])
            #expect(try await pool.value("select \(identifier)::text") == "01234567-89ab-cdef-0123-456789abcdef")
            #expect(try await pool.value("select \(Color.red)::text") == Color.red)
            let error = await failure { try await pool.value("select 'blue' as c", as: Color.self) }
            #expect(error?.kind == .decoding(column: "c", expected: "Color"))
        }
    }
}

private enum Color: String, PostgresEncodable, PostgresDecodable {
    case red
}

private struct Moment: PostgresEncodable, PostgresDecodable, Equatable {
    static let postgresType = PostgresType.timestamptz
    let microseconds: Int64

    init(microseconds: Int64) { self.microseconds = microseconds }

    init(postgres cell: PostgresCell) throws(PostgresError) { microseconds = try cell.integer(of: .timestamptz) }

    func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(microseconds) }
}

private struct Identifier: PostgresEncodable, PostgresDecodable, Equatable {
    static let postgresType = PostgresType.uuid
    let bits: UInt128

    init(bits: UInt128) { self.bits = bits }

    init(postgres cell: PostgresCell) throws(PostgresError) { bits = try cell.integer(of: .uuid) }

    func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(bits) }
}

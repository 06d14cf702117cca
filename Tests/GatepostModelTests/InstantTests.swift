import GatepostModel
import Testing

@Suite("Instant")
struct InstantTests {
    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000000Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
        (1_709_164_799_999_999, "2024-02-28T23:59:59.999999Z"),
        (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
    ])
    func `an instant prints as RFC 3339 and reads back`(microseconds: Int64, text: String) {
        #expect(Instant(microseconds: microseconds).description == text)
        #expect(Instant(rfc3339: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "2026-11-23", "2026-11-23 09:30:00Z", "2026-11-23T09:30:00", "2026-11-23T09:30:00+01:00",
        "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T09:30:00.Z", "2026-11-23T09:30:00.1234567Z",
        "2026-11-23T09:30:0aZ", "٢٠٢٦-11-23T09:30:00Z",
    ])
    func `what is no RFC 3339 time in UTC is refused`(text: String) {
        #expect(Instant(rfc3339: text) == nil)
    }

    @Test func `a fraction of a second is read at its own scale`() {
        #expect(Instant(rfc3339: "1970-01-01T00:00:00.5Z")?.microseconds == 500_000)
    }

    @Test func `every day of four centuries converts there and back`() {
        for day in Int64(-36524)...Int64(109_573) {
            let date = CivilDate(daysSince1970: day)
            guard date.daysSince1970 == day, (1...12).contains(date.month), (1...31).contains(date.day) else {
                Issue.record("day \(day) became \(date)")
                return
            }
        }
        #expect(CivilDate(year: 2026, month: 11, day: 23).dayOfWeek == 1)
    }
}

import GatepostModel
import GatepostWorkers
import Testing

@Suite("Cron schedule")
struct CronScheduleTests {
    /// A schedule, a moment, and the first due minute after it.
    struct Case: CustomTestStringConvertible {
        let schedule: String
        let after: String
        let next: String

        init(_ schedule: String, _ after: String, _ next: String) {
            (self.schedule, self.after, self.next) = (schedule, after, next)
        }

        var testDescription: String { "\(schedule) after \(after)" }
    }

    static let cases = [
        // Every minute, and the minute after the one that has begun.
        Case("* * * * *", "2026-11-23T09:30:00Z", "2026-11-23T09:31:00Z"),
        Case("* * * * *", "2026-11-23T09:30:59.999999Z", "2026-11-23T09:31:00Z"),
        Case("* * * * *", "2026-12-31T23:59:30Z", "2027-01-01T00:00:00Z"),
        // Steps, lists and ranges.
        Case("*/5 * * * *", "2026-11-23T09:30:00Z", "2026-11-23T09:35:00Z"),
        Case("*/7 * * * *", "2026-11-23T09:56:00Z", "2026-11-23T10:00:00Z"),
        Case("2-59/5 * * * *", "2026-11-23T09:57:00Z", "2026-11-23T10:02:00Z"),
        Case("5,50,20-22 8-10,18 * * *", "2026-11-23T10:50:00Z", "2026-11-23T18:05:00Z"),
        Case("5,50,20-22 8-10,18 * * *", "2026-11-23T08:20:30Z", "2026-11-23T08:21:00Z"),
        Case("5,50,20-22 8-10,18 * * *", "2026-11-23T18:50:00Z", "2026-11-24T08:05:00Z"),
        // A time of the day, before and after it.
        Case("10 3 * * *", "2026-11-23T03:09:59Z", "2026-11-23T03:10:00Z"),
        Case("10 3 * * *", "2026-11-23T03:10:00Z", "2026-11-24T03:10:00Z"),
        // Ends of months and years.
        Case("0 0 31 * *", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z"),
        Case("0 0 30 * *", "2026-01-30T12:00:00Z", "2026-03-30T00:00:00Z"),
        Case("59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z"),
        Case("0 0 1 */3 *", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        // Leap years: 2028 is one, 2100 is none.
        Case("0 0 29 2 *", "2026-11-23T00:00:00Z", "2028-02-29T00:00:00Z"),
        Case("0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"),
        // Days of the week: 2026-11-23 is a Monday; 0 and 7 are Sunday.
        Case("0 6 * * 0", "2026-11-23T00:00:00Z", "2026-11-29T06:00:00Z"),
        Case("0 6 * * 7", "2026-11-23T00:00:00Z", "2026-11-29T06:00:00Z"),
        Case("0 6 * * 1-5", "2026-11-27T06:00:00Z", "2026-11-30T06:00:00Z"),
        Case("0 6 * * 5-7", "2026-11-28T06:00:00Z", "2026-11-29T06:00:00Z"),
        // Both days restricted: either one is enough.
        Case("0 0 1 * 1", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"),
        Case("0 0 1 * 1", "2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z"),
        Case("0 0 31 2 1", "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"),
        // One begins with an asterisk: both must allow the day.
        Case("0 0 */10 * 1", "2026-11-23T00:00:00Z", "2026-12-21T00:00:00Z"),
        Case("0 0 13 * */5", "2026-11-23T00:00:00Z", "2026-12-13T00:00:00Z"),
        // The rarest: 29 February on the first of the two days that */6 allows, across 2100.
        Case("0 0 29 2 */6", "2076-03-01T00:00:00Z", "2088-02-29T00:00:00Z"),
        // Before 1970.
        Case("30 * * * *", "1969-12-31T23:29:30Z", "1969-12-31T23:30:00Z"),
    ]

    @Test(arguments: cases) func `the next due minute is found`(_ item: Case) throws {
        let schedule = try CronSchedule(item.schedule)
        let after = try #require(Instant(rfc3339: item.after))
        let next = try #require(Instant(rfc3339: item.next))

        #expect(schedule.next(after: after) == next)
        #expect(schedule.matches(next))
        #expect(schedule.matches(next + .seconds(59)))
    }

    @Test func `next and matches agree over five years`() throws {
        let schedule = try CronSchedule("17 4 29-31 1-3 6")
        let start = try #require(Instant(rfc3339: "2026-01-01T00:00:00Z"))
        let days = (0..<5 * 366).map { start + .days($0) + .hours(4) + .minutes(17) }
        let matching = days.filter(schedule.matches)

        var walked: [Instant] = []
        var moment = start
        while let next = schedule.next(after: moment), let last = days.last, next <= last {
            walked.append(next)
            moment = next
        }

        #expect(walked == matching)
        #expect(walked.count > 80)
    }

    @Test func `a minute that is not due does not match`() throws {
        let schedule = try CronSchedule("10 3 * * 1")
        for moment in ["2026-11-23T03:09:59Z", "2026-11-23T03:11:00Z", "2026-11-23T04:10:00Z", "2026-11-24T03:10:00Z"] {
            #expect(!schedule.matches(try #require(Instant(rfc3339: moment))), "\(moment)")
        }
    }

    @Test(arguments: [
        "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *", "* * * 13 *", "* * * * 8",
        "a * * * *", "5- * * * *", "-5 * * * *", "9-5 * * * *", "1,,2 * * * *", ", * * * *", "*/0 * * * *",
        "*/x * * * *", "5/10 * * * *", "1-5/2/2 * * * *", "+5 * * * *", "* * * jan *", "** * * * *", "*/99 * * * *",
        "1--2 * * * *", "005 * * * *",
    ])
    func `a malformed field is refused`(_ text: String) {
        #expect {
            try CronSchedule(text)
        } throws: { error in
            if case CronError.malformedField = error { true } else { false }
        }
    }

    @Test(arguments: [("* * * *", 4), ("* * * * * *", 6), ("", 0), ("@daily", 1)])
    func `a schedule has five fields`(_ text: String, _ count: Int) {
        #expect(throws: CronError.fieldCount(count)) { try CronSchedule(text) }
    }

    @Test(arguments: ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30-31 2 */2"])
    func `a date that no year has is refused`(_ text: String) {
        #expect(throws: CronError.noSuchDate) { try CronSchedule(text) }
    }

    @Test func `a schedule prints as five fields with one space between them`() throws {
        #expect(try CronSchedule("  10\t3  * * 1 ").description == "10 3 * * 1")
    }
}

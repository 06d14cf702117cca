package import GatepostModel

/// When a job is due: five fields of cron, in UTC.
///
/// Minute, hour, day of month, month, day of week. If both fields for the day are restricted, a day that either
/// allows is due; if one begins with an asterisk, both must allow it. That is the rule of crontab(5), odd as it is:
/// `0 0 1 * 1` means each first of a month and also each Monday.
package struct CronSchedule: Hashable, Sendable {
    /// How far ahead `next(after:)` looks.
    ///
    /// The rarest schedule is a 29 February on one day of the week, which may be 40 years away (2096 is followed by
    /// 2104).
    private static let searchDaysMax: Int64 = 41 * 366

    /// The most days that each month has in any year, January first.
    private static let longestMonths: [Int64] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

    /// The five fields as they were written, with one space between them.
    package let text: String

    private let minute: CronField
    private let hour: CronField
    private let dayOfMonth: CronField
    private let month: CronField
    private let dayOfWeek: CronField

    /// Reads five fields; throws if one is malformed, or if together they name a date that no year has.
    package init(_ text: String) throws(CronError) {
        let fields = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard fields.count == 5 else { throw .fieldCount(fields.count) }
        minute = try CronField(fields[0], .minute)
        hour = try CronField(fields[1], .hour)
        dayOfMonth = try CronField(fields[2], .dayOfMonth)
        month = try CronField(fields[3], .month)
        dayOfWeek = try CronField(fields[4], .dayOfWeek)
        self.text = fields.joined(separator: " ")
        guard existsInSomeYear else { throw .noSuchDate }
    }

    /// Whether the minute that this instant lies in is a due one.
    package func matches(_ instant: Instant) -> Bool {
        let minutes = instant.seconds.flooredQuotient(by: 60)
        let days = minutes.flooredQuotient(by: 1440)
        let minuteOfDay = minutes - days * 1440
        return minute.allows(minuteOfDay % 60) && hour.allows(minuteOfDay / 60)
            && matches(CivilDate(daysSince1970: days))
    }

    /// The first due minute that begins after an instant.
    ///
    /// Nil only if there is none within 41 years, which no schedule that could be read comes to.
    package func next(after instant: Instant) -> Instant? {
        let start = instant.seconds.flooredQuotient(by: 60) + 1
        let firstDay = start.flooredQuotient(by: 1440)
        for day in firstDay...firstDay + Self.searchDaysMax where matches(CivilDate(daysSince1970: day)) {
            let from = day == firstDay ? start - firstDay * 1440 : 0
            if let minuteOfDay = firstMinute(from: from) {
                return Instant(seconds: (day * 1440 + minuteOfDay) * 60)
            }
        }
        return nil
    }

    private func matches(_ date: CivilDate) -> Bool {
        guard month.allows(date.month) else { return false }
        let byMonth = dayOfMonth.allows(date.day)
        let byWeek = dayOfWeek.allows(date.dayOfWeek)
        return dayOfMonth.isUnrestricted || dayOfWeek.isUnrestricted ? byMonth && byWeek : byMonth || byWeek
    }

    /// The first allowed minute of a day from the one given; nil if the day has none left.
    private func firstMinute(from minuteOfDay: Int64) -> Int64? {
        let (startHour, startMinute) = (minuteOfDay / 60, minuteOfDay % 60)
        guard let dueHour = hour.first(from: startHour) else { return nil }
        if dueHour == startHour {
            if let dueMinute = minute.first(from: startMinute) { return dueHour * 60 + dueMinute }
            return hour.first(from: startHour + 1).flatMap { later in
                minute.first(from: 0).map { later * 60 + $0 }
            }
        }
        return minute.first(from: 0).map { dueHour * 60 + $0 }
    }

    /// False for 31 February and its like; a day of the week comes in every month.
    private var existsInSomeYear: Bool {
        if !dayOfMonth.isUnrestricted && !dayOfWeek.isUnrestricted { return true }
        return zip(Int64(1)..., Self.longestMonths).contains { number, length in
            month.allows(number) && (1...length).contains(where: dayOfMonth.allows)
        }
    }
}

extension CronSchedule: CustomStringConvertible {
    package var description: String { text }
}

/// Why five fields are no schedule.
package enum CronError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not five fields, but so many.
    case fieldCount(Int)
    /// The field of this name has a part that cannot be read or is out of bounds.
    case malformedField(String, String)
    /// The date exists in no year.
    case noSuchDate

    package var description: String {
        switch self {
        case .fieldCount(let count): "a schedule has five fields (minute hour day month weekday), not \(count)"
        case .malformedField(let field, let part): "'\(part)' is no valid \(field)"
        case .noSuchDate: "no year has such a date"
        }
    }
}

extension Int64 {
    /// The quotient rounded down, so that a moment before 1970 also lies in the minute that began before it.
    fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

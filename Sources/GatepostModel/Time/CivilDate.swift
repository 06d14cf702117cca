/// A day of the Gregorian calendar, proleptic, in UTC.
///
/// Partitions and cron schedules are about days; both need only these two conversions, so no calendar is loaded.
/// The arithmetic counts years from March, which puts the leap day last.
package struct CivilDate: Hashable, Sendable, CustomStringConvertible {
    package let year: Int64
    /// 1 is January.
    package let month: Int64
    /// 1 is the first.
    package let day: Int64

    /// Makes a date from its parts, which the caller has checked.
    package init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Makes the date that lies so many days after 1970-01-01.
    package init(daysSince1970 days: Int64) {
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01.
    package var daysSince1970: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear.flooredQuotient(400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// 0 is Sunday, as cron counts.
    package var dayOfWeek: Int64 {
        let shifted = daysSince1970 + 4
        return shifted - shifted.flooredQuotient(7) * 7
    }

    /// `2026-11-23`.
    package var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Writes it as `description` says.
    func append(to text: inout [UInt8]) {
        year.append(to: &text, digits: 4)
        text.append(UInt8(ascii: "-"))
        month.append(to: &text, digits: 2)
        text.append(UInt8(ascii: "-"))
        day.append(to: &text, digits: 2)
    }
}

extension Int64 {
    /// The quotient rounded down, also for negative numbers, as calendar arithmetic needs it.
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor != 0 && (self < 0) != (divisor < 0) ? quotient - 1 : quotient
    }

    /// Writes so many digits, or more where it has more, with zeros in front.
    func append(to text: inout [UInt8], digits: Int) {
        if self < 0 { text.append(UInt8(ascii: "-")) }
        if magnitude >= 10 || digits > 1 { Int64(magnitude / 10).append(to: &text, digits: digits - 1) }
        text.append(UInt8(ascii: "0") + UInt8(magnitude % 10))
    }
}

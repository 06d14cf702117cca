/// One of the five fields of a cron schedule: the set of numbers it allows.
///
/// A field is a list of parts with commas between them; a part is `*`, a number or a range, and `*` or a range may
/// have a step: `*/5`, `1-5`, `8-18/2`. Names of months and days are not known, and a number alone takes no step,
/// because crons disagree about what `5/10` means.
struct CronField: Hashable, Sendable {
    /// Which field it is: its name in messages and the numbers that it may hold.
    enum Place: String, CaseIterable, Sendable {
        case minute
        case hour
        case dayOfMonth = "day of month"
        case month
        case dayOfWeek = "day of week"

        /// The numbers that may be written; 0 and 7 are both Sunday.
        var bounds: ClosedRange<Int> {
            switch self {
            case .minute: 0...59
            case .hour: 0...23
            case .dayOfMonth: 1...31
            case .month: 1...12
            case .dayOfWeek: 0...7
            }
        }
    }

    /// Whether the field begins with an asterisk, which cron's rule for days calls unrestricted.
    let isUnrestricted: Bool

    /// Bit n stands for the number n.
    private let allowed: UInt64

    /// Reads a field.
    init(_ text: Substring, _ place: Place) throws(CronError) {
        var allowed: UInt64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            for number in try Self.numbers(part, place) { allowed |= 1 << UInt64(number) }
        }
        if place == .dayOfWeek, allowed & 1 << 7 != 0 { allowed = allowed & 0x7F | 1 }
        self.allowed = allowed
        isUnrestricted = text.hasPrefix("*")
    }

    /// Whether the field allows a number.
    func allows(_ number: Int64) -> Bool {
        (0..<64).contains(number) && allowed & 1 << UInt64(number) != 0
    }

    /// The first allowed number that is not below the one given.
    func first(from number: Int64) -> Int64? {
        (number..<64).first(where: allows)
    }

    private static func numbers(_ part: Substring, _ place: Place) throws(CronError) -> StrideThrough<Int> {
        let malformed = CronError.malformedField(place.rawValue, String(part))
        let halves = part.split(separator: "/", omittingEmptySubsequences: false)
        guard let span = halves.first, halves.count <= 2 else { throw malformed }
        var range = place == .dayOfWeek ? 0...6 : place.bounds
        var mayStep = true
        if span != "*" {
            let ends = span.split(separator: "-", omittingEmptySubsequences: false).map(number)
            guard ends.count <= 2, let low = ends.first ?? nil, let high = ends.last ?? nil, low <= high,
                place.bounds.contains(low), place.bounds.contains(high)
            else { throw malformed }
            range = low...high
            mayStep = ends.count == 2
        }
        guard halves.count == 2 else { return stride(from: range.lowerBound, through: range.upperBound, by: 1) }
        guard mayStep, let step = number(halves[1]), (1...place.bounds.upperBound).contains(step) else {
            throw malformed
        }
        return stride(from: range.lowerBound, through: range.upperBound, by: step)
    }

    /// A number of one or two digits: `Int` alone would also take `+5`.
    private static func number(_ text: Substring) -> Int? {
        (1...2).contains(text.utf8.count) && text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
    }
}

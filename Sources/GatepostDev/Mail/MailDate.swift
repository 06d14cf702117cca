import Foundation

/// The header `Date` (RFC 5322, section 3.3), as `Tue, 24 Nov 2026 08:00:00 +0000`.
enum MailDate {
    /// The moment in seconds since 1970; nil if it cannot be read.
    static func unixSeconds(_ text: String) -> Int64? {
        let form =
            /(?:[A-Za-z]{3},\s*)?(\d{1,2})\s+([A-Za-z]{3})\s+(\d{4})\s+(\d{2}):(\d{2}):(\d{2})\s+([+-])(\d{2})(\d{2})/
        guard let match = text.prefixMatch(of: form), let month = months.firstIndex(of: match.2.lowercased()),
            let day = Int(match.1), let year = Int(match.3), let hour = Int(match.4), let minute = Int(match.5),
            let second = Int(match.6), let zoneHours = Int(match.8), let zoneMinutes = Int(match.9)
        else { return nil }
        var components = DateComponents()
        (components.year, components.month, components.day) = (year, month + 1, day)
        (components.hour, components.minute, components.second) = (hour, minute, second)
        components.timeZone = .gmt
        guard let date = Calendar(identifier: .gregorian).date(from: components) else { return nil }
        let offset = (zoneHours * 60 + zoneMinutes) * 60 * (match.7 == "-" ? -1 : 1)
        return Int64(date.timeIntervalSince1970) - Int64(offset)
    }

    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
}

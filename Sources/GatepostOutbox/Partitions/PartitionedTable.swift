import GatepostModel

/// A table of the ledger that is cut into days by `ended_at`.
enum PartitionedTable: String, CaseIterable, Sendable {
    case deliveries
    case deliveryAttempts = "delivery_attempts"

    /// What catches a row whose day has no partition.
    var defaultPartition: String { "\(rawValue)_default" }

    /// The partition of a day: `deliveries_20261123`.
    func partition(of day: CivilDate) -> String {
        "\(rawValue)_\(day.description.split(separator: "-").joined())"
    }

    /// The day that a partition's name says; nil for the default partition and whatever somebody else has made.
    func day(ofPartition name: String) -> CivilDate? {
        guard let match = name.dropFirst(rawValue.count).wholeMatch(of: /_([0-9]{4})([0-9]{2})([0-9]{2})/),
            let year = Int64(match.1), let month = Int64(match.2), let day = Int64(match.3)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        return partition(of: CivilDate(daysSince1970: date.daysSince1970)) == name ? date : nil
    }
}

extension Instant {
    /// The day that it lies in, counted from 1970-01-01.
    var daysSince1970: Int64 {
        let second = seconds
        return second / 86400 - (second % 86400 < 0 ? 1 : 0)
    }

    /// The beginning of a day.
    init(daysSince1970 days: Int64) {
        self.init(seconds: days * 86400)
    }
}

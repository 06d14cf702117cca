import FoundationEssentials

extension AppSettings {
    /// Every field that is set, by its name in JSON, as a text: for the audit trail.
    package var texts: [String: String] {
        // Settings that were decoded or checked always encode.
        guard let json = try? JSONEncoder().encode(self),
            let values = try? JSONDecoder().decode([String: Value].self, from: json)
        else { return [:] }
        return values.mapValues(\.text)
    }

    /// What changed from these settings to others, for an event's details: the new value, and the old one beside it.
    ///
    /// A field that was not set, or is not any more, is at its `default`.
    package func differences(to other: AppSettings) -> [String: String] {
        let (before, after) = (texts, other.texts)
        return Set(before.keys).union(after.keys).reduce(into: [:]) { details, field in
            guard before[field] != after[field] else { return }
            details[field] = after[field] ?? "default"
            details["\(field)_before"] = before[field] ?? "default"
        }
    }

    /// A value of any field.
    private struct Value: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                text = flag ? "true" : "false"
            } else if let number = try? container.decode(Int64.self) {
                text = "\(number)"
            } else if let word = try? container.decode(String.self) {
                text = word
            } else if let words = try? container.decode([String].self) {
                text = words.joined(separator: " ")
            } else {
                text = "set"
            }
        }
    }
}

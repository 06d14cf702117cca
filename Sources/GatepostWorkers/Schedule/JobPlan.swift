import Foundation

/// A plan as `explain (format json, verbose)` writes it, as far as a check reads it.
struct JobPlan: Decodable {
    /// A step of the plan.
    struct Node: Decodable {
        let type: String
        let table: String?
        let index: String?
        let indexCondition: String?
        let output: [String]?
        let plans: [Node]?

        enum CodingKeys: String, CodingKey {
            case type = "Node Type"
            case table = "Relation Name"
            case index = "Index Name"
            case indexCondition = "Index Cond"
            case output = "Output"
            case plans = "Plans"
        }

        /// This step and all below it.
        var all: [Node] { [self] + (plans ?? []).flatMap(\.all) }

        /// Whether it reads rows of a table.
        var isScan: Bool { type.hasSuffix("Scan") && table != nil }
    }

    let root: Node

    enum CodingKeys: String, CodingKey {
        case root = "Plan"
    }

    /// Reads the plan of one statement; nil if the JSON is none.
    init?(json: String) {
        guard let plan = try? JSONDecoder().decode([JobPlan].self, from: Data(json.utf8)).first else { return nil }
        self = plan
    }

    /// The scans that read all of a table or all of an index, as a sentence each.
    ///
    /// The planner's settings forbid sequential scans as far as they can; where one is left, no index fits. An index
    /// scan without a condition is the same in disguise.
    func wholeReads(exceptOf smallTables: Set<String>) -> [String] {
        root.all.compactMap { node in
            if node.type == "Seq Scan", let table = node.table, !smallTables.contains(table) {
                return "reads all of table \(table), which grows"
            }
            guard let index = node.index, node.indexCondition == nil, !smallTables.contains(node.table ?? "") else {
                return nil
            }
            return "reads all of index \(index), on a table that grows"
        }
    }

    /// The tables whose rows are read.
    var scannedTables: Set<String> {
        Set(root.all.filter(\.isScan).compactMap(\.table))
    }

    /// Whether the first column of each row says which app it belongs to, or that it belongs to none.
    ///
    /// Only the first, because what a select is ordered by stands behind its columns.
    var returnsApps: Bool {
        guard let first = root.output?.first else { return false }
        return first == "app_id" || first.hasSuffix(".app_id") || first == "NULL::uuid"
    }
}

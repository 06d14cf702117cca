/// Something that must not be.
struct Finding: Sendable, Equatable, CustomStringConvertible {
    enum Kind: String, Sendable {
        case lost
        case invented
        case duplicateOther = "dup_other"
        case late
        case auditMissing = "audit_missing"
    }

    let kind: Kind
    let what: String

    var description: String { "\(kind.rawValue): \(what)" }
}

/// What the checker found.
struct Verdict: Sendable {
    var findings: [Finding] = []
    /// What was owed, did not come, and ended in a way that says why; by that end.
    var explained: [String: [String]] = [:]
    /// Copies beyond the first, each with the id of the first: what at least once allows.
    var sameIDCount = 0
    /// The most copies that came of one message, and of which.
    var mostCopies = (count: 0, what: "")

    /// Whether nothing was found.
    var isClean: Bool { findings.isEmpty }

    /// How many findings there are of a kind.
    func count(_ kind: Finding.Kind) -> Int { findings.count { $0.kind == kind } }

    /// Its part of the one line.
    var line: String {
        """
        lost=\(count(.lost)) invented=\(count(.invented)) dup_same_id=\(sameIDCount) \
        dup_other=\(count(.duplicateOther)) late=\(count(.late)) audit_missing=\(count(.auditMissing))
        """
    }
}

import Foundation

/// Joins what was acknowledged, what was received and what was recorded.
///
/// It knows nothing of how Gatepost works, only what it promises: what was acknowledged is there, and arrives or has an
/// end that explains why not; nothing arrives that nobody asked for; one cause makes one message.
struct Checker {
    /// Seconds from a mail's first failure to its next try, at most (docs/operating.md).
    private static let firstPauseMax = 6.0

    private let evidence: Evidence
    private let received: [String: [Receipt]]
    private let entries: [String: LedgerEntry]
    private let userOfEmail: [String: String]
    private let deedsOfEmail: [String: [Deed]]
    private var result = Verdict()

    init(_ evidence: Evidence) {
        self.evidence = evidence
        received = Dictionary(grouping: evidence.receipts.filter(\.isTaken), by: \.message)
        entries = Dictionary(evidence.ledger.map { ($0.message, $0) }) { first, _ in first }
        userOfEmail = Dictionary(evidence.users.map { ($0.value.email, $0.key) }) { first, _ in first }
        deedsOfEmail = Dictionary(grouping: evidence.deeds, by: \.email)
    }

    /// The judgement.
    func verdict() -> Verdict {
        var checker = self
        checker.findLost()
        checker.findMissingEvents()
        checker.findInvented()
        checker.findDuplicates()
        checker.findLate()
        return checker.result
    }

    private mutating func add(_ kind: Finding.Kind, _ what: String) {
        result.findings.append(Finding(kind: kind, what: what))
    }

    private func deeds(_ kind: Deed.Kind, _ email: String) -> [Deed] {
        deedsOfEmail[email, default: []].filter { $0.kind == kind }
    }
}

// MARK: What was acknowledged

extension Checker {
    private mutating func findLost() {
        let mails = Dictionary(grouping: evidence.ledger.filter { $0.flow != "" }, by: \.flow)
        let notices = Dictionary(grouping: evidence.ledger.filter { $0.type != "" }) {
            Self.cause($0.type, $0.user, $0.session, $0.endpoint)
        }
        for deed in evidence.deeds where deed.isAcknowledged {
            if let what = missingRow(of: deed) { add(.lost, "\(deed.email): \(what)") }
            if deed.kind == .signUp, let flow = deed.flow {
                check(mails[flow] ?? [], "the mail of \(deed.email)")
            }
            for notice in owedNotices(of: deed) {
                check(notices[notice] ?? [], "the notice \(notice) of \(deed.email)")
            }
        }
    }

    /// The row that an acknowledged deed must have left, if it is not there.
    private func missingRow(of deed: Deed) -> String? {
        let user = userOfEmail[deed.email].flatMap { evidence.users[$0] }
        switch deed.kind {
        case .signUp: return deed.flow.map(evidence.flows.contains) == true && user != nil ? nil : "no sign-up"
        case .verify: return user?.isVerified == true ? nil : "not verified"
        case .signIn: return nil
        case .exchange: return deed.session.map(evidence.sessions.contains) == true ? nil : "no session"
        case .refresh: return deed.tokenHash.map(evidence.tokenHashes.contains) == true ? nil : "no refresh token"
        case .deactivate: return user?.isDeactivated == true ? nil : "not deactivated"
        }
    }

    private func owedNotices(of deed: Deed) -> [String] {
        guard let user = userOfEmail[deed.email] else { return [] }
        var told: [(type: String, session: String)] = []
        switch deed.kind {
        case .signUp: told = [("user.created", "")]
        case .verify: told = [("user.verified", "")]
        case .deactivate:
            // A session whose exchange was acknowledged before is ended by the deactivation, or was by a reuse.
            told = [("user.deactivated", "")]
            told += deeds(.exchange, deed.email).filter(\.isAcknowledged).map { ("session.ended", $0.session ?? "") }
        case .signIn, .exchange, .refresh: break
        }
        return told.flatMap { notice in
            evidence.endpoints.map { Self.cause(notice.type, user, notice.session, $0) }
        }
    }

    /// One message, at least, must have come or have ended in a way that explains itself.
    private mutating func check(_ entries: [LedgerEntry], _ what: String) {
        guard !entries.isEmpty else { return add(.lost, "\(what) was never owed") }
        guard !entries.contains(where: { received[$0.message] != nil }) else { return }
        if let entry = entries.first(where: { !isExplained($0) }) {
            add(.lost, "\(what) did not come; the ledger says \(Self.end(of: entry))")
        } else {
            entries.forEach { result.explained[$0.state, default: []].append("\(what): \(Self.end(of: $0))") }
        }
    }

    /// Whether an end says by itself why nothing came.
    private func isExplained(_ entry: LedgerEntry) -> Bool {
        let email = evidence.users[entry.user]?.email ?? ""
        switch entry.state {
        case "rejected": return evidence.refusedForGood.contains(email)
        case "exhausted":
            return Self.isLifeTooShort(entry) || evidence.refusedForGood.contains(email)
        case "indeterminate":
            // Its content was sent and the reply was lost: a worker may only leave it at that if it cannot try again.
            return Self.isLifeTooShort(entry)
        case "obsolete", "cancelled": return entry.type == "" && !deeds(.deactivate, email).isEmpty
        case "expired": return entry.expiresAt.map { $0 <= entry.endedAt ?? 0 } ?? false
        default: return false
        }
    }

    /// Whether its life was cut so short that it would have been over before the next try.
    private static func isLifeTooShort(_ entry: LedgerEntry) -> Bool {
        entry.expiresAt.map { $0 <= (entry.endedAt ?? 0) + firstPauseMax } ?? false
    }

    private static func end(of entry: LedgerEntry) -> String {
        let life = entry.expiresAt.flatMap { over in entry.endedAt.map { over - $0 } }
        let left = life.map { String(format: ", %.1f s before its life was over", $0) } ?? ""
        return "\(entry.state) \(entry.reason)\(left)"
    }

    private static func cause(_ type: String, _ user: String, _ session: String, _ endpoint: String) -> String {
        [type, user, session, endpoint].joined(separator: " ")
    }

    /// Every acknowledged change has its event; of what may be done again, as many as were acknowledged.
    private mutating func findMissingEvents() {
        var wanted: [String: Int] = [:]
        for deed in evidence.deeds where deed.isAcknowledged {
            let user = userOfEmail[deed.email] ?? ""
            switch deed.kind {
            case .signUp: wanted[Evidence.event("sign_up.started", deed.flow ?? "")] = 1
            case .verify: wanted[Evidence.event("user.verified", user)] = 1
            case .signIn: wanted[Evidence.event("sign_in.passed", user), default: 0] += 1
            case .exchange: wanted[Evidence.event("session.started", deed.session ?? "")] = 1
            case .refresh: wanted[Evidence.event("token.refreshed", deed.session ?? ""), default: 0] += 1
            case .deactivate: wanted[Evidence.event("user.deactivated", user)] = 1
            }
        }
        for (event, count) in wanted.sorted(by: { $0.key < $1.key }) where evidence.audit[event, default: 0] < count {
            add(.auditMissing, "\(event): \(evidence.audit[event, default: 0]) of \(count)")
        }
    }
}

// MARK: What was received

extension Checker {
    private mutating func findInvented() {
        for receipt in evidence.receipts {
            if let entry = entries[receipt.message] {
                if !isAskedFor(receipt) { add(.invented, "nobody asked for \(Self.name(receipt))") }
                if let difference = difference(receipt, entry) {
                    add(.invented, "\(Self.name(receipt)) has another \(difference) in the ledger")
                }
            } else {
                add(.invented, "the ledger does not know \(Self.name(receipt))")
            }
        }
    }

    private func isAskedFor(_ receipt: Receipt) -> Bool {
        guard receipt.wire == .notice else { return !deeds(.signUp, receipt.to).isEmpty }
        let email = evidence.users[receipt.user]?.email ?? ""
        switch (receipt.type, receipt.reason) {
        case ("user.created", _): return !deeds(.signUp, email).isEmpty
        case ("user.verified", _): return !deeds(.verify, email).isEmpty
        case ("user.deactivated", _), ("session.ended", "user_deactivated"): return !deeds(.deactivate, email).isEmpty
        // An answer that was lost may make a client present a token or a code once too often.
        case ("session.ended", "refresh_reused"): return deeds(.refresh, email).contains { !$0.isAcknowledged }
        case ("session.ended", "code_reused"): return deeds(.exchange, email).contains { !$0.isAcknowledged }
        default: return false
        }
    }

    private func difference(_ receipt: Receipt, _ entry: LedgerEntry) -> String? {
        switch receipt.wire {
        case .mail: return evidence.users[entry.user]?.email == receipt.to ? nil : "address"
        case .notice:
            if entry.type != receipt.type { return "type" }
            if entry.user != receipt.user || entry.session != receipt.session { return "subject" }
            return entry.endpoint == receipt.to ? nil : "endpoint"
        }
    }

    private mutating func findDuplicates() {
        result.sameIDCount = received.values.reduce(0) { $0 + $1.count - 1 }
        if let most = received.values.max(by: { $0.count < $1.count }), let first = most.first {
            result.mostCopies = (most.count, Self.name(first))
        }
        let causes = Dictionary(grouping: received.compactMap { entries[$0.key] }) { entry in
            entry.type == ""
                ? Self.cause(entry.kind, entry.flow, "", "")
                : Self.cause(entry.type, entry.user, entry.session, entry.endpoint)
        }
        for (cause, messages) in causes.sorted(by: { $0.key < $1.key }) where messages.count > 1 {
            add(.duplicateOther, "\(messages.count) messages for \(cause)")
        }
    }

    private mutating func findLate() {
        for receipt in evidence.receipts {
            if let stamp = receipt.stampedAt, abs(stamp - receipt.at) > Evidence.stampSecondsMax {
                add(.late, "\(Self.name(receipt)) is stamped \(Int(stamp - receipt.at)) s off")
            }
            guard let entry = entries[receipt.message], let end = mayArriveUntil(entry), receipt.at > end else {
                continue
            }
            add(.late, "\(Self.name(receipt)) came \(Int(receipt.at - end)) s late, after \(entry.state)")
        }
    }

    /// When the last copy of a message may come; nil for one that may still be sent.
    ///
    /// What is under way at the end may still arrive, and a worker that stood still meanwhile had not begun to send.
    private func mayArriveUntil(_ entry: LedgerEntry) -> Double? {
        let isTakenBack = ["cancelled", "obsolete", "expired", "suppressed"].contains(entry.state)
        let ends = [entry.expiresAt, isTakenBack ? entry.endedAt : nil].compactMap(\.self)
        guard let end = ends.min() else { return nil }
        let last = evidence.stops.filter { $0.begin - Evidence.attemptSecondsMax <= end && end <= $0.end }
            .map(\.end).max()
        return max(end, last ?? end) + Evidence.attemptSecondsMax
    }

    private static func name(_ receipt: Receipt) -> String {
        receipt.wire == .mail
            ? "mail \(receipt.message) to \(receipt.to)"
            : "notice \(receipt.message) \(receipt.type) \(receipt.reason) of user \(receipt.user)"
    }
}

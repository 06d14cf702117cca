@testable import gatepost_chaos

/// How a test plants what a round left.
extension Evidence {
    /// Owes a message that was delivered.
    mutating func owe(_ id: String, flow: String = "", type: String = "", session: String = "", user: String = "u1") {
        ledger.append(
            LedgerEntry(
                message: id, kind: type == "" ? "mail.verification" : "webhook.notice", state: "delivered", reason: "",
                flow: flow, user: user, type: type, session: session, endpoint: type == "" ? "" : "/a",
                expiresAt: nil, endedAt: 100))
    }

    /// Receives a mail, or a notice where there is a type.
    mutating func receive(
        _ id: String, to: String = "/a", type: String = "", session: String = "", reason: String = ""
    ) {
        receipts.append(
            Receipt(
                wire: type == "" ? .mail : .notice, message: id, to: to, type: type, user: type == "" ? "" : "u1",
                session: session, reason: reason, at: 100, stampedAt: type == "" ? nil : 100))
    }

    /// Gives a message another end.
    mutating func end(_ id: String, _ state: String, at moment: Double = 100) {
        ledger = ledger.map { $0.message == id ? $0.with(state: state, endedAt: moment) : $0 }
    }

    /// Gives a message another expiry.
    mutating func shorten(_ id: String, to moment: Double) {
        ledger = ledger.map { $0.message == id ? $0.with(expiresAt: moment) : $0 }
    }

    /// Receives a message otherwise than it was.
    mutating func change(_ id: String, _ change: (Receipt) -> Receipt) {
        receipts = receipts.map { $0.message == id ? change($0) : $0 }
    }
}

extension LedgerEntry {
    func with(state: String? = nil, expiresAt: Double? = nil, endedAt: Double? = nil) -> LedgerEntry {
        LedgerEntry(
            message: message, kind: kind, state: state ?? self.state, reason: reason, flow: flow, user: user,
            type: type, session: session, endpoint: endpoint, expiresAt: expiresAt ?? self.expiresAt,
            endedAt: endedAt ?? self.endedAt)
    }
}

extension Receipt {
    var refused: Receipt {
        var refused = self
        refused.isTaken = false
        return refused
    }

    func with(to: String? = nil, reason: String? = nil, stamp: Double? = nil) -> Receipt {
        Receipt(
            wire: wire, message: message, to: to ?? self.to, type: type, user: user, session: session,
            reason: reason ?? self.reason, at: at, stampedAt: stamp ?? stampedAt)
    }
}

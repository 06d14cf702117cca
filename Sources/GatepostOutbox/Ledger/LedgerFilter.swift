package import GatepostModel

/// Where a message of the ledger stands.
package enum LedgerState: String, Sendable, CaseIterable {
    case owed, waiting, held
    case delivered, rejected, exhausted, expired, obsolete, suppressed, cancelled, indeterminate

    /// Whether such a message still stands in the outbox.
    package var isOwed: Bool {
        switch self {
        case .owed, .waiting, .held: true
        case .delivered, .rejected, .exhausted, .expired, .obsolete, .suppressed, .cancelled, .indeterminate: false
        }
    }
}

extension MessageEnd {
    /// The ends that a redrive owes anew: something failed on the way, and nobody decided that it should end.
    package static let failures: [MessageEnd] = [.rejected, .exhausted, .expired, .indeterminate]

    /// Whether a redrive owes such a message anew.
    package var isFailure: Bool { Self.failures.contains(self) }
}

/// An address as the ledger is searched by it.
package struct LedgerAddress: Sendable {
    /// As `users.email` has it.
    package let canonical: String
    /// Its keyed hash under every epoch: a row keeps that of the day it was written.
    package let hashes: [[UInt8]]

    /// Takes an address of an app.
    package init(_ address: EmailAddress, in app: AppID, keys: KeyRing) {
        canonical = address.canonical
        hashes = keys.recipientHashes(address, in: app)
    }
}

/// Which messages of the ledger are asked for; nil is any.
package struct LedgerFilter: Sendable {
    package var user: UserID?
    package var address: LedgerAddress?
    package var kind: MessageKind?
    package var state: LedgerState?
    /// From when on they were owed, this moment included.
    package var since: Instant?
    /// Before when they were owed.
    package var until: Instant?

    /// Asks for everything; what is to be left out is set afterwards.
    package init() {}

    /// The same filter with a state.
    package init(state: LedgerState?) {
        self.state = state
    }

    /// What tells a list of one filter from that of another.
    package var text: String {
        let parts: [String?] = [
            user?.description, address?.canonical, kind?.rawValue, state?.rawValue, since?.description,
            until?.description,
        ]
        return parts.map { $0 ?? "" }.joined(separator: " ")
    }
}

/// How much of the ledger is read at once.
package enum LedgerLimits {
    /// Messages of one list.
    package static let entriesMax = 1000
    /// Attempts of one message; mail is tried about 35 times in a day.
    package static let attemptsMax = 200
    /// Replays of one message.
    package static let replaysMax = 50
    /// Messages that one redrive by filter owes anew; the next call goes on.
    package static let redrivenMax = 500
}

package import GatepostModel
package import GatepostStore
import Postgres

extension AppBatch {
    /// Messages of the app, the newest first, from the outbox and from what has left it.
    ///
    /// Here and below, what ended before the app's history begins is not there.
    ///
    /// - Parameters:
    ///   - filter: Only these.
    ///   - cursor: The last one shown; nil for the first page.
    ///   - limit: At most `LedgerLimits.entriesMax`.
    ///   - now: The moment, from which the app's history is counted back.
    /// - Returns: One entry a message, with its last attempt.
    package mutating func ledger(
        _ filter: LedgerFilter = LedgerFilter(), after cursor: PageCursor? = nil, limit: Int = 100, at now: Instant
    ) -> BatchReading<[LedgerEntry]> {
        let limit = min(limit, LedgerLimits.entriesMax)
        return read(LedgerStatements(scope, at: now).list(filter, after: cursor, limit: limit)) {
            try $0.map(LedgerEntry.init)
        }
    }

    /// One message; nil if the app has none of this id.
    package mutating func ledgerEntry(of message: MessageID, at now: Instant) -> BatchReading<LedgerEntry?> {
        read(LedgerStatements(scope, at: now).entry(message)) { try $0.first.map(LedgerEntry.init) }
    }

    /// The messages that owe one anew, oldest first.
    package mutating func ledgerReplays(of message: MessageID, at now: Instant) -> BatchReading<[LedgerReplay]> {
        read(LedgerStatements(scope, at: now).replays(of: message)) { try $0.map(LedgerReplay.init) }
    }

    /// One message with every try at it and its replays; nil if the app has none of this id.
    package mutating func ledgerHistory(of message: MessageID, at now: Instant) -> BatchReading<LedgerHistory?> {
        let entry = ledgerEntry(of: message, at: now)
        let attempts = read(LedgerStatements(scope, at: now).attempts(at: message)) {
            try $0.map(LedgerAttempt.init)
        }
        return entry.and(attempts).and(ledgerReplays(of: message, at: now)).map { found, replays in
            found.0.map { LedgerHistory(entry: $0, attempts: found.1, replays: replays) }
        }
    }
}

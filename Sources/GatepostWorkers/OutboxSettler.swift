import GatepostModel
import GatepostOutbox
import GatepostStore
import Logging
import Postgres
import Synchronization

/// What a worker's settlements have come to since its start, for metrics.
package struct SettleCounts: Sendable, Hashable {
    /// Those that found their message.
    package var settled = 0
    /// Those whose message had been cancelled; where it was sent all the same, the attempt is on record.
    package var cancelled = 0
    /// Those whose message another worker had claimed or ended since: this one was too slow.
    package var lost = 0

    /// All of them nought.
    package init() {}
}

/// Collects what became of claimed messages and settles it in batches.
///
/// While one batch is under way the next one gathers, so batches grow with the load and no timer is needed. When
/// Postgres is away the settlements are kept: a result that is forgotten means a mail that is sent twice.
final class OutboxSettler: Sendable {
    /// The longest pause after a failure.
    static let pauseMax: Duration = .seconds(2)
    /// Settlements that show that more will come at once.
    static let busyCount = 16
    /// How long more of them are waited for then.
    static let gatherPause: Duration = .milliseconds(30)
    /// How often a closed settler fails before it gives up: a shutdown has its limits, and leases end by themselves.
    static let failuresAfterClosingMax = 2

    private struct State {
        var waiting: [Settlement] = []
        var isClosed = false
        /// Whether Postgres took nothing when it was last asked.
        var isFailing = false
        var counts = SettleCounts()
    }

    private let database: Database
    private let logger: Logger
    private let onSettled: @Sendable ([Settlement]) -> Void
    private let state = Mutex(State())
    private let signal = OutboxSignal()

    init(database: Database, logger: Logger, onSettled: @escaping @Sendable ([Settlement]) -> Void) {
        self.database = database
        self.logger = logger
        self.onSettled = onSettled
    }

    /// Whether Postgres did not take what it was last given.
    var isFailing: Bool { state.withLock { $0.isFailing } }

    /// How many settlements wait.
    var count: Int { state.withLock { $0.waiting.count } }

    /// What its settlements came to so far.
    var counts: SettleCounts { state.withLock { $0.counts } }

    /// Adds a settlement, to be applied with the next batch.
    func add(_ settlement: Settlement) {
        state.withLock { $0.waiting.append(settlement) }
        signal.raise()
    }

    /// Lets `run` return once everything is settled.
    func close() {
        state.withLock { $0.isClosed = true }
        signal.raise()
    }

    /// Settles what comes, until it is closed and nothing is left.
    func run() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                let isBusy = try await flush() >= Self.busyCount
                if failures > 0 { logger.info("settling again", metadata: ["failures": "\(failures)"]) }
                failures = 0
                if state.withLock({ $0.isClosed && $0.waiting.isEmpty }) { return }
                // A batch costs less for each of its rows the longer it is; nobody waits for the end of a message.
                if isBusy { try? await Task.sleep(for: Self.gatherPause) }
                await signal.wait()
            } catch {
                failures += 1
                if failures == 1 {
                    logger.error("cannot settle, the results are kept", metadata: ["error": "\(error)"])
                }
                if state.withLock({ $0.isClosed }), failures >= Self.failuresAfterClosingMax {
                    logger.error("giving up settling; what is left is delivered again", metadata: ["count": "\(count)"])
                    return
                }
                try? await Task.sleep(for: min(.milliseconds(100) * (1 << min(failures, 6)), Self.pauseMax))
            }
        }
    }

    /// Settles everything that waits now; throws if Postgres does not take it, and keeps it.
    ///
    /// - Returns: How many waited.
    @discardableResult
    func flush() async throws -> Int {
        let all = count
        var left = all
        while left > 0 {
            let batch = state.withLock { state in
                let batch = Array(state.waiting.prefix(OutboxLimits.settledRowsMax))
                state.waiting.removeFirst(batch.count)
                return batch
            }
            guard !batch.isEmpty else { return all }
            left -= batch.count
            do {
                try await settle(batch)
                state.withLock { $0.isFailing = false }
            } catch {
                state.withLock { state in
                    state.waiting.insert(contentsOf: batch, at: 0)
                    state.isFailing = true
                }
                throw error
            }
        }
        return all
    }

    /// Settles a batch; one that is refused for its data is halved until the culprit is alone, and ends plainly.
    ///
    /// Otherwise one bad settlement would hold up every other one for ever; and if it were dropped, its message would
    /// be sent again at the end of each lease.
    private func settle(_ batch: [Settlement]) async throws {
        do {
            note(try await database.settle(batch))
        } catch let error as PostgresError where error.isAboutData {
            guard batch.count > 1 else { return try await settlePlainly(batch[0], after: error) }
            try await settle(Array(batch[..<(batch.count / 2)]))
            try await settle(Array(batch[(batch.count / 2)...]))
        }
    }

    private func settlePlainly(_ settlement: Settlement, after error: PostgresError) async throws {
        logger.error(
            "a settlement is refused, the message ends without its words",
            metadata: ["message.id": "\(settlement.message)", "error": "\(error)"])
        do {
            note(try await database.settle([settlement.plain]))
        } catch let error as PostgresError where error.isAboutData {
            // Nothing from outside is left in it: the schema is not the one that this version knows.
            logger.critical(
                "a plain settlement is refused too, the message is due again",
                metadata: ["message.id": "\(settlement.message)", "error": "\(error)"])
        }
    }

    private func note(_ report: SettleReport) {
        state.withLock { state in
            state.counts.settled += report.settledCount
            state.counts.cancelled += report.cancelledCount
            state.counts.lost += report.lostCount
        }
        onSettled(report.settled)
        if report.cancelledCount > 0 {
            logger.notice("cancelled, but sent", metadata: ["count": "\(report.cancelledCount)"])
        }
        if report.lostCount > 0 {
            logger.warning("settled too late, another worker has it", metadata: ["count": "\(report.lostCount)"])
        }
        guard !report.unsettled.isEmpty else { return }
        state.withLock { $0.waiting += report.unsettled }
        signal.raise()
    }
}

extension PostgresError {
    /// Class 22, data exception, class 23, integrity constraint violation, and what cannot even be sent.
    fileprivate var isAboutData: Bool {
        if case .unsendableParameter = kind { return true }
        return sqlState?.hasPrefix("22") == true || sqlState?.hasPrefix("23") == true
    }
}

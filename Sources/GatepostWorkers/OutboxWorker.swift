package import GatepostModel
package import GatepostOutbox
package import GatepostStore
package import Logging
import ServiceLifecycle

/// Claims what is owed, hands each message to its handler, and settles what became of it.
///
/// Any number of workers run beside one another, in one process or in many. A worker that dies needs no rescue: its
/// messages fall due again when their lease ends, and are sent with the same id and the same secrets.
package struct OutboxWorker: Service {
    let clock: any WallClock
    let handlers: [MessageKind: any Handler]
    let policy: RetryPolicy
    /// How it paces itself.
    package let settings: WorkerSettings
    let signal: OutboxSignal
    let logger: Logger
    /// What it counts.
    package let metrics: WorkerMetrics
    let claimer: OutboxClaimer
    let settler: OutboxSettler
    let breaker: RouteBreaker

    /// Which destinations it leaves alone now, and how often it did: for metrics.
    package var breakerReport: BreakerReport { breaker.report(at: clock.now) }
    /// What its settlements have come to: for metrics.
    package var settleCounts: SettleCounts { settler.counts }

    /// Wires a worker.
    ///
    /// - Parameters:
    ///   - database: Where messages are claimed and settled.
    ///   - clock: The database's time: leases of all workers are compared by it.
    ///   - random: The chance in the retries' pauses.
    ///   - handlers: One for each kind; a message of another kind is put off.
    ///   - settings: How it paces itself.
    ///   - signal: Raised in this process when something was owed.
    ///   - metrics: Where it counts.
    ///   - logger: Where failures are told, once a streak, and each attempt.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, handlers: [MessageKind: any Handler],
        settings: WorkerSettings = WorkerSettings(), signal: OutboxSignal = OutboxSignal(),
        metrics: WorkerMetrics = .uncounted, logger: Logger
    ) {
        (self.clock, self.handlers, self.settings) = (clock, handlers, settings)
        (self.signal, self.logger, self.metrics) = (signal, logger, metrics)
        policy = RetryPolicy(random: random)
        breaker = RouteBreaker(policy: policy, slots: settings.deliverySlots)
        claimer = OutboxClaimer(database: database, lease: settings.lease)
        settler = OutboxSettler(database: database, logger: logger) { settled in
            let now = clock.now
            for settlement in settled { metrics.count(settlement, under: settings.lease, at: now) }
        }
    }

    /// Whether to claim more: not while results cannot be stored.
    ///
    /// What is claimed and sent then would be sent again once its lease is over, by this worker or by another one.
    package var mayClaim: Bool { settler.count < WorkerSettings.unsettledMax && !settler.isFailing }

    /// Works until the service group asks it to shut down.
    ///
    /// Then it claims nothing more, finishes what is in flight within the grace, settles, and gives the rest back.
    package func run() async {
        let shift = WorkerShift(worker: self)
        await withTaskCancellationOrGracefulShutdownHandler {
            await shift.run()
        } onCancelOrGracefulShutdown: {
            shift.stop()
        }
    }
}

import GatepostModel
import GatepostOutbox
import Logging
import Synchronization

/// One run of an `OutboxWorker`, from its start to its shutdown.
final class WorkerShift: Sendable {
    /// The longest pause after Postgres failed.
    static let failurePauseMax: Duration = .seconds(5)

    private struct State {
        var isStopping = false
        var isGraceOver = false
    }

    private let worker: OutboxWorker
    private let inFlight: DeliveriesInFlight
    private let state = Mutex(State())

    init(worker: OutboxWorker) {
        self.worker = worker
        inFlight = DeliveriesInFlight(slots: DeliverySlots(total: worker.settings.deliverySlots))
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Asks `run` to come to an end.
    func stop() {
        state.withLock { $0.isStopping = true }
        worker.signal.raise()
    }

    /// Works until `stop`, then finishes what is in flight and settles.
    func run() async {
        async let settling: Void = worker.settler.run()
        await claimUntilStopped()
        await finishDeliveries()
        for message in inFlight.close() {
            worker.settler.add(Settlement(of: message, .released, at: worker.clock.now))
        }
        worker.settler.close()
        await settling
    }

    private func claimUntilStopped() async {
        let looking = Task { await lookEverywhereAgainAndAgain() }
        var pause = worker.settings.busyPause
        var failures = 0
        while !isStopping {
            do {
                let startedCount = try await round()
                if failures > 0 { worker.logger.info("claiming again", metadata: ["failures": "\(failures)"]) }
                failures = 0
                pause = startedCount > 0 ? worker.settings.busyPause : min(pause * 2, worker.settings.idlePause)
            } catch {
                failures += 1
                if failures == 1 { worker.logger.error("cannot claim", metadata: ["error": "\(error)"]) }
                pause = min(.milliseconds(100) * (1 << min(failures, 6)), Self.failurePauseMax)
            }
            if !isStopping { await worker.signal.wait(atMost: pause) }
        }
        looking.cancel()
        await looking.value
    }

    /// One look and, for each lane, one claim; returns how many deliveries it started.
    private func round() async throws -> Int {
        guard worker.mayClaim else { return 0 }
        try await worker.claimer.look(at: worker.clock.now)
        var startedCount = 0
        for lane in Lane.allCases {
            let claimed = try await worker.claimer.claim(
                lane, atMost: inFlight.free(for: lane), at: worker.clock.now)
            for message in claimed { start(message) }
            startedCount += claimed.count
        }
        return startedCount
    }

    private func start(_ message: ClaimedMessage) {
        guard !isStopping else {
            worker.settler.add(Settlement(of: message, .released, at: worker.clock.now))
            return
        }
        inFlight.start(message) { [self] in
            let settlement = await worker.deliverTraced(message)
            guard inFlight.end(message) else { return }
            worker.keep(settlement)
            if inFlight.isWorthClaiming || isStopping { worker.signal.raise() }
        }
    }

    /// Waits until nothing is in flight, but not longer than the grace.
    private func finishDeliveries() async {
        let timer = Task { [self] in
            try? await Task.sleep(for: worker.settings.shutdownGrace)
            state.withLock { $0.isGraceOver = true }
            worker.signal.raise()
        }
        while inFlight.count > 0, !state.withLock({ $0.isGraceOver }), !Task.isCancelled {
            await worker.signal.wait(atMost: .seconds(1))
        }
        timer.cancel()
    }

    /// A look without floors at once, and then every now and then, for at most a fiftieth of the time.
    private func lookEverywhereAgainAndAgain() async {
        var hasFailed = false
        while !Task.isCancelled {
            let length = await ContinuousClock().measure {
                do {
                    try await worker.claimer.lookEverywhere(at: worker.clock.now)
                    worker.signal.raise()
                    hasFailed = false
                } catch {
                    // The loop beside it fails too, and says so.
                    hasFailed = true
                }
            }
            let pause = max(worker.settings.fullLookPause, length * WorkerSettings.fullLookPauseFactor)
            try? await Task.sleep(for: hasFailed ? Self.failurePauseMax : pause)
        }
    }
}

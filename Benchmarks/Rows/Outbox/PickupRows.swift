import Foundation
import GatepostDev
import GatepostModel
import GatepostOutbox
import GatepostStore
import Synchronization

extension Benchmark {
    static let delivery = Benchmark(name: "delivery") { site, pace in
        let perSecond = 100
        let time: Duration = .seconds(pace.seconds * pace.runs)
        let attempts = FirstAttempts()
        try await site.plantSignUps(perSecond * (pace.seconds * pace.runs + 1))
        return try await SMTPServer.running(script: attempts.script) { relay in
            try await site.withDatabase { database in
                let stream = Stream(database: database, scope: try await site.scope(), perSecond: perSecond)
                try await site.mailingHere(to: relay.port, on: database) { signal in
                    try await attempts.measure(stream, for: time) { signal.raise() }
                }
                let together = attempts.take()
                try await site.working(with: Site.mailing(to: relay.port)) { _ in
                    try await attempts.measure(stream, for: time) {}
                }
                return rows(together, "one process") + rows(attempts.take(), "two processes")
            }
        }
    }

    private static func rows(_ milliseconds: [Double], _ how: String) -> [Row] {
        let poll = (Double(Configuration().outboxPollMilliseconds), "the pause between two looks")
        let note = """
            \(milliseconds.count) verification mails at 100/s, from the commit to RCPT at a relay in this process; \
            one process has a signal, two have none. Defaults.
            """
        return [50, 99].map { percent in
            Row(
                "commit to first attempt, \(how), p\(percent)", "ms", [milliseconds.percentile(Double(percent))],
                limit: poll, note: note)
        }
    }

    static let heldSnapshot = Benchmark(name: "held-snapshot") { site, pace in
        let (perSecond, slots) = (2000, 64)
        let handler = EndingHandler(noting: site.app)
        let worker = LocalWorker(handlers: [Site.localKind: handler], slots: slots)
        let (time, window) = (Duration.seconds(pace.heldSeconds), Duration.seconds(min(60, pace.heldSeconds)))
        let (free, held) = try await site.withDatabase { database in
            let stream = Stream(database: database, scope: try await site.scope(), perSecond: perSecond)
            // As long as the window, after a quarter of it to warm up.
            let free = try await worker.running(on: database) {
                try await pickups(of: stream, for: window * 5 / 4, last: window, handler)
            }
            let held = try await site.holdingSnapshot(for: time) {
                try await worker.running(on: database) {
                    try await pickups(of: stream, for: time, last: window, handler)
                }
            }
            return (free, held)
        }
        let note = """
            One run: \(perSecond) messages a second for \(pace.heldSeconds) s beside a transaction that holds a \
            snapshot; those of the last \(Int(window / .seconds(1))) s, from before the commit to the handler, which \
            ends them at once. The limit is the same without the transaction. Slots: \(slots).
            """
        return [(50, nil), (99, Must.atMost(2))].map { percent, must in
            Row(
                "pickup beside a held snapshot, p\(percent)", "ms", [held.percentile(Double(percent))],
                limit: (free.percentile(Double(percent)), "without"), must: must, note: note)
        }
    }

    /// The pickups of the last part of a stream, in milliseconds.
    private static func pickups(
        of stream: Stream, for time: Duration, last window: Duration, _ handler: EndingHandler
    ) async throws -> [Double] {
        _ = handler.takePickups()
        let start = HostClock().now
        let count = try await stream.run(for: time) { .local(in: .notice, at: $1) }
        let end = HostClock().now
        try await Task.sleep(for: .seconds(1))
        let pickups = handler.takePickups()
        guard pickups.count == count, Double(count) > Double(stream.perSecond) * ((end - start) / .seconds(1)) * 0.95
        else {
            throw Program.Failed(description: "owed \(count), picked up \(pickups.count), in \(end - start)")
        }
        return pickups.filter { $0.at >= end - window }.map(\.milliseconds)
    }
}

extension Site {
    /// Runs `body` while a transaction elsewhere keeps what it has seen, as a dump or a report does.
    func holdingSnapshot<Output>(for time: Duration, _ body: () async throws -> Output) async throws -> Output {
        let query = """
            begin isolation level repeatable read; select count(*) from apps; \
            select pg_sleep(\(Int(time / .seconds(1)) + 60));
            """
        let program = try await Program.start(
            lab.programs + "/psql", ["--no-psqlrc", "--quiet", "-c", query, lab.postgres.url(database: name)])
        try await Task.sleep(for: .seconds(1))
        let result: Result<Output, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        let wasHeld = !program.hasEnded
        await program.stop()
        guard wasHeld else { throw program.failure("let go of its snapshot") }
        return try result.get()
    }
}

/// When each address was mailed first, after the commit that owed it.
private final class FirstAttempts: Sendable {
    private struct State {
        var commits: [String: ContinuousClock.Instant] = [:]
        var milliseconds: [Double] = []
        var attempts: [String: ContinuousClock.Instant] = [:]
    }

    private let state = Mutex(State())

    /// Takes note of each recipient.
    var script: SMTPScript {
        SMTPScript { [self] moment in
            if moment.stage == .rcpt, let recipient = moment.recipients.last {
                state.withLock { $0.attempts[recipient] = $0.attempts[recipient] ?? ContinuousClock().now }
            }
            return .proceed
        }
    }

    /// Owes mails and waits until each has been attempted.
    func measure(_ stream: Stream, for time: Duration, raise: () -> Void) async throws {
        state.withLock { $0 = State() }
        let count = try await stream.run(for: time) { number, now in
            var message = OutboxMessage(
                id: .make(at: now, random: SystemRandom()), kind: VerificationMail.kind, lane: .interactive,
                route: OutboxMessage.mailRoute, createdAt: now, expiresAt: now + .hours(1))
            message.flowID = Site.signUp(number + 1).flow
            return message
        } committed: { numbers in
            let now = ContinuousClock().now
            state.withLock { state in
                for number in numbers { state.commits[Site.signUp(number + 1).address] = now }
            }
            raise()
        }
        for _ in 0..<600 where state.withLock({ $0.attempts.count }) < count {
            try await Task.sleep(for: .milliseconds(50))
        }
        guard state.withLock({ $0.attempts.count }) == count else {
            throw Program.Failed(description: "not every mail was attempted")
        }
    }

    /// The time from the commit to the first attempt of each, in milliseconds.
    func take() -> [Double] {
        state.withLock { state in
            state.attempts.compactMap { address, attempt in
                state.commits[address].map { (attempt - $0) / .milliseconds(1) }
            }
        }
    }
}

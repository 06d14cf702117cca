import GatepostOutbox
import TestSupport
import Testing

@Suite("Outbox signal", .timeLimit(.minutes(1)))
struct OutboxSignalTests {
    @Test func `a signal that was raised before ends the next wait at once`() async {
        let signal = OutboxSignal()
        signal.raise()

        await signal.wait(atMost: .seconds(3600))
    }

    @Test func `a signal wakes whoever waits`() async throws {
        let signal = OutboxSignal()

        for _ in 0..<200 {
            async let waiting: Void = signal.wait(atMost: .seconds(3600))
            signal.raise()
            await waiting
        }
    }

    @Test func `a wait ends by itself`() async {
        let signal = OutboxSignal()

        for _ in 0..<20 { await signal.wait(atMost: .microseconds(1)) }
    }

    @Test func `a wait whose task is cancelled ends`() async {
        let signal = OutboxSignal()
        let waiting = Task { await signal.wait(atMost: .seconds(3600)) }

        waiting.cancel()
        await waiting.value
    }
}

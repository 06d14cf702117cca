import GatepostModel
import GatepostOutbox
import GatepostWorkers
import TestSupport
import Testing

@Suite("Retry policy", .showsSeed)
struct RetryPolicyTests {
    let policy = RetryPolicy(random: SeededRandom())
    let now = TestClock.start
    let webhook = MessageKind(rawValue: "webhook.notice")

    private func pause(_ kind: MessageKind, _ attempts: Int, lives: Duration = .days(10)) -> Duration? {
        policy.nextTry(of: kind, afterAttempts: attempts, at: now, expiresAt: now + lives).map { $0 - now }
    }

    @Test func `mail is retried soon, then hourly, each with up to a fifth of chance above`() throws {
        let seconds: [Int64] = [5, 20, 60, 120, 300, 600, 900, 1800, 3600, 3600, 3600]
        for (position, expected) in seconds.enumerated() {
            let pause = try #require(self.pause(VerificationMail.kind, position + 1))
            #expect(pause >= .seconds(expected) && pause <= .seconds(expected) * 12 / 10, "attempt \(position + 1)")
        }
    }

    @Test func `a webhook is tried eleven times`() throws {
        let hours: [Double] = [2, 5, 10, 14, 20, 24]
        for (position, expected) in hours.enumerated() {
            let pause = try #require(self.pause(webhook, position + 5))
            #expect(pause >= .seconds(expected * 3600) && pause <= .seconds(expected * 3600 * 1.2))
        }
        #expect(pause(webhook, 10) != nil)
        #expect(pause(webhook, 11) == nil)
    }

    @Test func `messages that failed together are not tried together`() {
        let pauses = (0..<20).compactMap { _ in pause(VerificationMail.kind, 5) }

        #expect(Set(pauses).count > 15)
    }

    @Test func `a message is not tried again after it expires`() {
        #expect(pause(VerificationMail.kind, 9, lives: .minutes(59)) == nil)
        #expect(pause(VerificationMail.kind, 9, lives: .hours(2)) != nil)
    }

    @Test func `what the receiver asks for is a lower bound, and bounded itself`() throws {
        func next(_ asked: Duration) throws -> Duration {
            try #require(
                policy.nextTry(
                    of: webhook, afterAttempts: 1, at: now, expiresAt: now + .days(10), retryAfter: asked)) - now
        }
        #expect(try next(.seconds(90)) == .seconds(90))
        #expect(try next(.seconds(1)) >= .seconds(5))
        #expect(try next(.days(5)) == RetryPolicy.retryAfterMax)
    }

    @Test func `what could not be attempted is looked at again, less and less often`() {
        let pauses = (1...12).map { policy.nextLook(afterClaims: $0, at: now) - now }

        #expect(pauses[0] >= .seconds(5) && pauses[0] <= .seconds(6))
        #expect(pauses[3] >= .seconds(40) && pauses[3] <= .seconds(48))
        #expect(pauses.allSatisfy { $0 <= .minutes(5) })
        #expect(pauses[11] == .minutes(5))
    }
}

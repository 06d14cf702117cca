import GatepostModel
import GatepostOutbox

/// What a worker has seen of one route lately, and how much of its attention the route may have.
///
/// Closed, every message is attempted. After five failures in a row it opens: nothing is attempted until a moment at
/// which one message probes it. An answer to the probe lets two go at a time, then three, until five answers in a row
/// close it: a relay that has just come up is not met by all that waited for it.
struct RouteState: Sendable {
    /// Failures in a row that open a route.
    static let failuresMax = 5
    /// Answers in a row, the probe's among them, that close it again.
    static let answersToClose = 5
    /// How soon a message is looked at again that finds others of its route under way.
    static let lookAgainPause: Duration = .milliseconds(500)
    /// The least step between two messages in a line of a route: 500 a second come back, however many wait.
    static let lineStepMin: Duration = .milliseconds(2)
    /// The greatest, for a destination that takes long: there is no use in looking more often than it takes messages.
    static let lineStepMax: Duration = .milliseconds(20)
    /// How long the line may get; what comes later joins it at its head.
    static let lineLengthMax: Duration = .minutes(10)

    enum Phase: Hashable, Sendable {
        case closed(failures: Int)
        case open(probeAt: Instant)
        case recovering(answers: Int)
    }

    /// The right to one attempt, to be given back when it has ended.
    struct Pass: Sendable {
        fileprivate let openingNumber: Int
        fileprivate let startedAt: Instant
        /// Whether this attempt probes an open route.
        let isProbe: Bool
    }

    enum Admission: Sendable {
        case pass(Pass)
        /// Not now: the message is to wait, and loses no try.
        case turnedAway(until: Instant)
    }

    /// What an attempt says of its destination.
    enum Verdict: Sendable {
        /// It works: whatever it said was said of this message.
        case answered
        /// It failed as a whole.
        case failed
        /// Nothing reached it.
        case untried
    }

    /// A change of phase that somebody should hear of.
    enum Change: Hashable, Sendable {
        case opened(probeAt: Instant)
        case closed
    }

    private(set) var phase = Phase.closed(failures: 0)
    /// Attempts under way, whenever they began.
    private(set) var underWayCount = 0
    /// The last time that anything was asked or told.
    private(set) var lastUsedAt: Instant
    /// Attempts under way that began since the route last opened: what a probe and the recovery count by.
    private var recentCount = 0
    /// Openings since it was last closed for good; the pauses grow with it.
    private var openingsInARow = 0
    /// Grows with each opening: an attempt that began before says nothing of the time after.
    private var openingNumber = 0
    private var lineEnds: [Lane: Instant] = [:]
    /// How long an attempt takes, the latest weighing most.
    private var usualLength = Duration.zero

    init(at now: Instant) {
        lastUsedAt = now
    }

    /// Lets a message be attempted, or says until when it waits.
    ///
    /// - Parameters:
    ///   - lane: The message's lane: each has a line of its own, so a sign-in mail waits behind no bulk mail.
    ///   - limit: Attempts that the route may have under way at one time.
    ///   - now: The present time.
    ///   - expiresAt: The end of the message's life: it is looked at once more before, if the line allows.
    /// - Returns: The right to attempt it, or until when it waits.
    mutating func admit(_ lane: Lane, limit: Int, at now: Instant, expiresAt: Instant) -> Admission {
        lastUsedAt = now
        let recentMax: Int
        var isProbe = false
        switch phase {
        case .closed:
            recentMax = limit
        case .open(let probeAt) where now < probeAt:
            return .turnedAway(until: placeInLine(of: lane, limit, from: probeAt, before: expiresAt))
        case .open:
            (recentMax, isProbe) = (1, true)
        case .recovering(let answers):
            recentMax = answers + 1
        }
        guard underWayCount < limit, recentCount < recentMax else {
            return .turnedAway(until: placeInLine(of: lane, limit, from: now + Self.lookAgainPause, before: expiresAt))
        }
        underWayCount += 1
        recentCount += 1
        return .pass(Pass(openingNumber: openingNumber, startedAt: now, isProbe: isProbe))
    }

    /// Takes note of how an attempt ended.
    ///
    /// - Parameters:
    ///   - pass: What `admit` gave.
    ///   - verdict: What it says of the destination.
    ///   - now: The present time.
    ///   - pause: How long an open route is left alone, by how often it opened in a row.
    /// - Returns: What somebody should hear of, if anything.
    mutating func end(
        _ pass: Pass, _ verdict: Verdict, at now: Instant, pause: (Int) -> Duration
    ) -> Change? {
        lastUsedAt = now
        underWayCount -= 1
        usualLength = (usualLength * 3 + (now - pass.startedAt)) / 4
        let isRecent = pass.openingNumber == openingNumber
        if isRecent { recentCount -= 1 }
        switch (verdict, phase) {
        case (.untried, _):
            return nil
        case (.answered, .closed):
            phase = .closed(failures: 0)
            return nil
        case (.answered, .open):
            phase = .recovering(answers: 1)
            return nil
        case (.answered, .recovering(let answers)):
            guard isRecent else { return nil }
            return noteRecovery(answers + 1)
        case (.failed, .closed(let failures)):
            guard isRecent else { return nil }
            guard failures + 1 >= Self.failuresMax else {
                phase = .closed(failures: failures + 1)
                return nil
            }
            return open(at: now, pause)
        case (.failed, .open), (.failed, .recovering):
            return isRecent ? open(at: now, pause) : nil
        }
    }

    private mutating func noteRecovery(_ answers: Int) -> Change? {
        guard answers >= Self.answersToClose else {
            phase = .recovering(answers: answers)
            return nil
        }
        phase = .closed(failures: 0)
        openingsInARow = 0
        return .closed
    }

    private mutating func open(at now: Instant, _ pause: (Int) -> Duration) -> Change? {
        openingsInARow += 1
        openingNumber += 1
        recentCount = 0
        let probeAt = now + pause(openingsInARow)
        phase = .open(probeAt: probeAt)
        return openingsInARow == 1 ? .opened(probeAt: probeAt) : nil
    }

    /// The next place in the line of a lane's messages that wait.
    ///
    /// They fall due one after the other and not all at once: a million messages of a dead relay are looked at 500 in a
    /// second, and so they come back when it lives. Those of a slow endpoint come at the pace at which it takes them.
    private mutating func placeInLine(
        of lane: Lane, _ limit: Int, from start: Instant, before expiresAt: Instant
    ) -> Instant {
        let step = min(max(usualLength / limit, Self.lineStepMin), Self.lineStepMax)
        let next = lineEnds[lane].map { max($0 + step, start) } ?? start
        let place = next - start > Self.lineLengthMax ? start : next
        lineEnds[lane] = place
        return place < expiresAt ? place : min(start, expiresAt)
    }
}

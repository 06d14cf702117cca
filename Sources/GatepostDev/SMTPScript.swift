/// Says how an `SMTPServer` misbehaves, and tells when a stage of the dialogue has been reached.
///
/// The server is real; only its answers are staged. A test waits for `reached`, does its harm (kills the client
/// program, stops the clock), and then calls `release`.
package final class SMTPScript: Sendable {
    /// A place in the dialogue where the server asks the script what to do.
    package enum Stage: String, CaseIterable, Sendable {
        /// Before the greeting.
        case connect
        case ehlo
        case mail
        case rcpt
        case data
        /// When the first bytes of the body have come.
        case body
        /// When the final dot has come; the mail is complete but not yet kept.
        case finalDot
        /// At `QUIT`, which libcurl says after every refusal.
        case quit
    }

    /// One arrival at a stage.
    package struct Moment: Sendable {
        /// Where in the dialogue.
        package let stage: Stage
        /// The connection's number on this server, from 1.
        package let connection: Int
        /// How many `MAIL` commands the connection has seen, this one included.
        package let mailOfConnection: Int
        /// The sender, once `MAIL` has come.
        package let envelopeFrom: String?
        /// The recipients so far; at `rcpt` the last one is the one being asked about.
        package let recipients: [String]
    }

    /// What the server does at a moment.
    package enum Behaviour: Sendable {
        /// Answers as a working server does.
        case proceed
        /// Sends this reply instead; the command has no effect. At `connect` and `body` the connection then ends.
        case reply(Int, String)
        /// Ends the connection without a word; nothing is kept.
        case close
        /// Says nothing until `release`, then proceeds.
        case stall
        /// Says nothing for so long, then proceeds.
        case delay(Duration)
        /// At `finalDot`: keeps the mail and ends the connection without a reply. Elsewhere the same as `close`.
        case closeAfterAccepting
        /// At `finalDot`: keeps the mail and says nothing until `release`. Elsewhere the same as `stall`.
        case stallAfterAccepting
    }

    private struct State: Sendable {
        var moments: [Moment] = []
        var nextStall = 0
        var stalled: [Int: Stage] = [:]
    }

    /// The most moments that are remembered; later ones still act but are not listed.
    private static let momentCountMax = 100_000

    private let decide: @Sendable (Moment) -> Behaviour
    private let state = Watched(State())

    /// Makes a script.
    ///
    /// - Parameter decide: Asked once for each moment, from the connection's own task.
    package init(_ decide: @escaping @Sendable (Moment) -> Behaviour = { _ in .proceed }) {
        self.decide = decide
    }

    /// Makes a script that misbehaves alike each time one stage is reached.
    package convenience init(at stage: Stage, _ behaviour: Behaviour) {
        self.init { $0.stage == stage ? behaviour : .proceed }
    }

    /// Every moment so far, in order: the transcript of the dialogue.
    package var moments: [Moment] { state.current.moments }

    /// How often a stage has been reached, on all connections together.
    package func count(_ stage: Stage) -> Int {
        state.current.moments.count { $0.stage == stage }
    }

    /// How many connections stand still now.
    package var stalledCount: Int { state.current.stalled.count }

    /// Waits until a stage has been reached so many times; if the script stalls there, it has stalled by then.
    ///
    /// - Parameters:
    ///   - stage: The stage.
    ///   - count: Which arrival to wait for, from 1.
    ///   - bound: How long to wait at most.
    /// - Returns: The moment of that arrival.
    /// - Throws: `WaitTimedOut` or `CancellationError`.
    @discardableResult
    package func reached(_ stage: Stage, count: Int = 1, within bound: Duration = .seconds(30)) async throws -> Moment {
        try await state.wait(within: bound) { state in
            state.moments.lazy.filter { $0.stage == stage }.dropFirst(count - 1).first
        }
    }

    /// Lets every connection that stands still go on; one that stalls later stands still again.
    package func release() {
        state.update { $0.stalled.removeAll() }
    }

    /// Records the moment and decides; a stall is on the books before anyone hears that the stage was reached.
    func arrive(at moment: Moment) -> (behaviour: Behaviour, stall: Int?) {
        let behaviour = decide(moment)
        let stall: Int? = state.update { state in
            if state.moments.count < Self.momentCountMax { state.moments.append(moment) }
            switch behaviour {
            case .stall, .stallAfterAccepting:
                state.nextStall += 1
                state.stalled[state.nextStall] = moment.stage
                return state.nextStall
            case .proceed, .reply, .close, .delay, .closeAfterAccepting:
                return nil
            }
        }
        return (behaviour, stall)
    }

    /// Stands still until released.
    ///
    /// - Throws: `CancellationError` when the server stops, `WaitTimedOut` after an hour.
    func wait(for stall: Int) async throws {
        defer { state.update { _ = $0.stalled.removeValue(forKey: stall) } }
        try await state.wait(within: .seconds(3600)) { $0.stalled[stall] == nil ? () : nil }
    }
}

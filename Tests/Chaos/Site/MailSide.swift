import GatepostDev
import GatepostModel
import Synchronization
import TestSupport

/// How the mail server misbehaves, and whom it has refused for good.
final class MailMood: Sendable {
    /// `kind` is nil while it does not.
    enum Kind: CaseIterable, Sendable {
        /// 421 before the greeting.
        case closed
        case refusesSender
        case refusesRecipient
        /// 451 after the final dot.
        case refusesBody
        case dropsAtData
        case dropsInBody
        /// Keeps the mail and ends the connection without a word: the sender cannot know.
        case dropsAfterAccepting
        case stalls
        case stallsAfterAccepting
        /// 550 for the recipient: for good.
        case rejects
    }

    private let state = Mutex<(kind: Kind?, refused: Set<String>)>((nil, []))

    /// Addresses that were refused for good.
    var refused: Set<String> { state.withLock { $0.refused } }

    /// Changes the mood; nil for a server that works.
    func set(_ kind: Kind?) { state.withLock { $0.kind = kind } }

    /// What to do at a moment of the dialogue.
    func behaviour(_ moment: SMTPScript.Moment) -> SMTPScript.Behaviour {
        state.withLock { state in
            switch (state.kind, moment.stage) {
            case (.closed, .connect): return .reply(421, "4.3.2 Not now")
            case (.refusesSender, .mail): return .reply(451, "4.3.0 Not now")
            case (.refusesRecipient, .rcpt): return .reply(450, "4.2.1 Not now")
            case (.refusesBody, .finalDot): return .reply(451, "4.3.0 Not now")
            case (.dropsAtData, .data), (.dropsInBody, .body): return .close
            case (.dropsAfterAccepting, .finalDot): return .closeAfterAccepting
            case (.stalls, .finalDot): return .stall
            case (.stallsAfterAccepting, .finalDot): return .stallAfterAccepting
            case (.rejects, .rcpt):
                state.refused.formUnion(moment.recipients.suffix(1))
                return .reply(550, "5.1.1 No such user")
            default: return .proceed
            }
        }
    }
}

/// The mail server, and what it received.
final class MailSide: Sendable {
    private struct Arrivals: Sendable {
        var receipts: [Receipt] = []
        var codes: [String: String] = [:]
    }

    let mood: MailMood
    private let server: SMTPServer
    private let arrivals = Watched(Arrivals())
    private let successes: Successes

    private init(_ server: SMTPServer, _ mood: MailMood, _ successes: Successes) {
        (self.server, self.mood, self.successes) = (server, mood, successes)
    }

    /// Runs `body` with a server of its own.
    static func running<Output>(
        _ successes: Successes, _ body: (MailSide) async throws -> Output
    ) async throws -> Output {
        let mood = MailMood()
        var limits = SMTPServer.Limits()
        limits.mailsKeptMax = 1_000_000
        return try await SMTPServer.running(limits: limits, script: SMTPScript { mood.behaviour($0) }) { server in
            let side = MailSide(server, mood, successes)
            let reading = Task { await side.read() }
            let result: Result<Output, any Error>
            do { result = .success(try await body(side)) } catch { result = .failure(error) }
            reading.cancel()
            return try result.get()
        }
    }

    var port: Int { server.port }
    /// What came so far.
    var receipts: [Receipt] { arrivals.current.receipts }

    /// Ends what stalls.
    func release() { server.script.release() }

    /// The code in the first mail to an address.
    func code(to address: String, within bound: Duration) async -> String? {
        try? await arrivals.wait(within: bound) { $0.codes[address] }
    }

    /// Takes each mail as it comes, which is when it is stamped.
    private func read() async {
        var count = 0
        while !Task.isCancelled {
            guard let mails = try? await server.waitForMails(count: count + 1, within: .seconds(3600)) else { continue }
            for mail in mails.dropFirst(count) { take(mail) }
            count = mails.count
        }
    }

    private func take(_ mail: ReceivedMail) {
        let moment = successes.now
        let to = mail.recipients.first ?? ""
        let id = (mail.header("Message-ID") ?? "").drop { $0 == "<" }.prefix { $0 != "@" }
        let code = CaughtMail(mail).text.firstMatch(of: /\b[0-9]{8}\b/).map { String($0.output) }
        arrivals.update { arrivals in
            arrivals.receipts.append(
                Receipt(
                    wire: .mail, message: MessageID(String(id)).map { hex($0.uuid.bytes) } ?? String(id), to: to,
                    at: moment))
            if arrivals.codes[to] == nil { arrivals.codes[to] = code }
        }
        successes.saw(.mail, begunAt: moment)
    }
}

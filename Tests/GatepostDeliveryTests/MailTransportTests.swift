import Curl
import GatepostDev
import GatepostModel
import TestSupport
import Testing

@testable import GatepostDelivery

/// A mail from its values to what a relay makes of it.
@Suite(.timeLimit(.minutes(2)))
struct MailTransportTests {
    private func send(
        _ mail: MailMessage, over relay: MailRelay, deadline: Duration = .seconds(60)
    ) async -> AttemptResult {
        let transport = MailTransport(relay: relay, connectionsMax: 2)
        let result = await transport.send(mail, deadline: deadline)
        await transport.shutdown()
        return result
    }

    private func relay(_ port: Int) throws -> MailRelay {
        try #require(MailRelay(url: "smtp://127.0.0.1:\(port)"))
    }

    private func send(_ script: SMTPScript, deadline: Duration = .seconds(60)) async throws -> AttemptResult {
        let mail = try MailMessageTests.mail()
        return try await SMTPServer.running(script: script) { server in
            await send(mail, over: try relay(server.port), deadline: deadline)
        }
    }

    @Test func `a mail arrives with its envelope, and byte for byte`() async throws {
        let mail = try MailMessageTests.mail(name: "Démo", subject: "Ünïcode", text: ".\n..\nend .\n")
        try await SMTPServer.running { server in
            let result = await send(mail, over: try relay(server.port))
            #expect(result.outcome == .delivered && result.code == 250 && result.reachedNetwork)
            let received = try await server.waitForMail { _ in true }
            #expect(received.bytes == mail.bytes && !received.hasBareLineBreak)
            #expect(received.envelopeFrom == "no-reply@mail.example.com")
            #expect(received.recipients == ["person+tag@example.org"])
        }
    }

    @Test(arguments: [
        (450, AttemptResult.Outcome.transient), (421, .transient), (550, .permanent), (554, .permanent),
    ])
    func `a refusal is transient or permanent by its code, and its words are kept`(
        code: Int, outcome: AttemptResult.Outcome
    ) async throws {
        for stage in [SMTPScript.Stage.mail, .rcpt, .finalDot] {
            let result = try await send(SMTPScript(at: stage, .reply(code, "5.1.1 Nobody \u{1b}[2J h\u{e9}re")))
            #expect(result.outcome == outcome && result.code == code && result.reachedNetwork)
            #expect(result.reply == "5.1.1 Nobody ?[2J h?re")
        }
    }

    @Test func `a refused login and a missing TLS are the relay's failure, a refused recipient is the mail's`()
        async throws
    {
        let mail = try MailMessageTests.mail()
        let login = SMTPServer.Login(username: "gatepost", password: "right")
        try await SMTPServer.running(login: login) { server in
            let url = "smtp://127.0.0.1:\(server.port)"
            let wrong = try #require(MailRelay(url: url, login: ("gatepost", Secret("wrong")), requiresTLS: false))
            let denied = await send(mail, over: wrong)
            #expect(denied.isDestinationFailing && denied.outcome == .permanent && denied.code == 535)
            let strict = try #require(MailRelay(url: url, requiresTLS: true))
            #expect(await send(mail, over: strict).isDestinationFailing)
            let right = try #require(MailRelay(url: url, login: ("gatepost", Secret("right")), requiresTLS: false))
            #expect(await !send(mail, over: right).isDestinationFailing)
        }
        #expect(try await !send(SMTPScript(at: .rcpt, .reply(550, "5.1.1 Nobody"))).isDestinationFailing)
    }

    @Test func `a lost answer is indeterminate, a connection lost before is transient`() async throws {
        let lost = try await send(SMTPScript(at: .finalDot, .closeAfterAccepting))
        #expect(lost.outcome == .indeterminate && lost.code == nil && lost.reachedNetwork)
        let early = try await send(SMTPScript(at: .rcpt, .close))
        #expect(early.outcome == .transient && early.code == nil && early.reachedNetwork)
        let stalled = try await send(SMTPScript(at: .connect, .stall), deadline: .seconds(2))
        #expect(stalled.outcome == .transient && stalled.reachedNetwork)
    }

    @Test func `no relay to be found is transient`() async throws {
        let mail = try MailMessageTests.mail()
        let result = await send(mail, over: try #require(MailRelay(url: "smtp://relay.invalid:25")))
        #expect(result.outcome == .transient && result.code == nil && result.reachedNetwork)
    }

    @Test func `after shutdown nothing is tried, and that is told`() async throws {
        let transport = MailTransport(relay: try relay(9), connectionsMax: 1)
        await transport.shutdown()
        let result = await transport.send(try MailMessageTests.mail(), deadline: .seconds(5))
        #expect(result.outcome == .transient && !result.reachedNetwork)
    }

    @Test(arguments: ["localhost", "127.0.0.1", "127.255.255.254", "[::1]", "[0:0:0:0:0:0:0:1]"])
    func `mail may go to this machine in the clear`(host: String) {
        #expect(MailRelay(url: "smtp://\(host):25")?.relay.security == SMTPRelay.Security.none)
        #expect(MailRelay(url: "smtp://\(host):25", requiresTLS: true)?.relay.security == .startTLS)
        #expect(MailRelay(url: "smtps://\(host)")?.relay.security == .tls)
    }

    @Test(arguments: [
        "127.relay.example", "127.0.0.1.relay.example", "127.1", "127.0.0.1.", "127.0.0.256", "127.0.0.01",
        "1270.0.0.1", "128.0.0.1", "localhost.relay.example", "[::2]", "[::1:1]", "relay.example",
    ])
    func `mail to any other host waits for TLS unless an operator says otherwise`(host: String) {
        #expect(MailRelay(url: "smtp://\(host):25")?.relay.security == .startTLS)
        #expect(
            MailRelay(url: "smtp://\(host):25", requiresTLS: false)?.relay.security == SMTPRelay.Security.none)
    }

    @Test(arguments: [
        "smtp://", "smtps://", "http://relay", "relay:25", "smtp://user:word@relay", "smtp://relay:0",
        "smtp://relay:65536", "smtp://relay:", "smtp://relay:x", "smtp://relay/path", "smtp://re lay",
        "smtp://re\r\nlay", "smtp://rélay", "",
    ])
    func `an address of a relay that is not plainly one is refused`(url: String) {
        #expect(MailRelay(url: url) == nil)
    }
}

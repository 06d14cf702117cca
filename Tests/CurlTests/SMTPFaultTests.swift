import Curl
import GatepostDev
import Testing

/// Every way a server can fail a mail, and what the pool makes of it.
@Suite(.timeLimit(.minutes(2)))
struct SMTPFaultTests {
    typealias Stage = SMTPScript.Stage

    private func send(_ script: SMTPScript, deadline: Duration = .seconds(30)) async throws -> (SMTPResult, kept: Int) {
        try await SMTPServer.running(script: script) { server in
            let result = try await withPool(server) { pool in
                await pool.send(try mail(to: "b@e.org"), deadline: deadline)
            }
            return (result, await server.mails().count)
        }
    }

    @Test(arguments: [Stage.connect, .mail, .rcpt, .data, .finalDot], [421, 450, 451, 500, 550, 554])
    func `a refusal at any verb is told by its code and text`(stage: Stage, code: Int) async throws {
        let (result, kept) = try await send(SMTPScript(at: stage, .reply(code, "x.7.1 Not this one")))
        #expect(result.outcome == (code < 500 ? .deferred : .rejected))
        #expect(result.replyCode == code && result.reply == "x.7.1 Not this one")
        #expect(result.reachedNetwork && kept == 0)
    }

    @Test(arguments: [421, 554])
    func `a refused EHLO and HELO is a refusal`(code: Int) async throws {
        let (result, _) = try await send(SMTPScript(at: .ehlo, .reply(code, "Go away")))
        #expect(result.outcome == (code < 500 ? .deferred : .rejected) && result.replyCode == code)
    }

    @Test func `a server that knows only HELO gets its mail, and may take its time`() async throws {
        let greetings = Watched(0)
        let script = SMTPScript { moment in
            // Longer than a server may take to say good-bye.
            if moment.stage == .finalDot { return .delay(.seconds(4)) }
            guard moment.stage == .ehlo else { return .proceed }
            let number = greetings.update { count in
                count += 1
                return count
            }
            return number == 1 ? .reply(502, "What?") : .proceed
        }
        let (result, kept) = try await send(script)
        #expect(result.outcome == .accepted && kept == 1, "\(result)")
    }

    @Test(arguments: [Stage.connect, .ehlo, .mail, .rcpt, .data])
    func `a connection lost before the body is a failure that left nothing`(stage: Stage) async throws {
        let (result, kept) = try await send(SMTPScript(at: stage, .close))
        #expect(result.outcome == .failed && result.reachedNetwork && kept == 0)
    }

    @Test(arguments: [SMTPScript.Behaviour.close, .closeAfterAccepting])
    func `a connection lost after the final dot leaves it unknown`(behaviour: SMTPScript.Behaviour) async throws {
        let (result, _) = try await send(SMTPScript(at: .finalDot, behaviour))
        #expect(result.outcome == .unknown && result.replyCode == 354)
    }

    @Test func `a connection lost in the middle of a long body is a failure, not an unknown`() async throws {
        let body = String(repeating: String(repeating: "x", count: 74) + "\r\n", count: 100_000)
        try await SMTPServer.running(script: SMTPScript(at: .body, .close)) { server in
            try await withPool(server) { pool in
                let result = await pool.send(try mail(to: "b@e.org", body), deadline: .seconds(30))
                #expect(result.outcome == .failed)
            }
        }
    }

    @Test(arguments: [Stage.connect, .ehlo, .mail, .rcpt, .data])
    func `a stall before the body ends at the deadline as a failure`(stage: Stage) async throws {
        let (result, kept) = try await stall(at: stage)
        #expect(result.outcome == .failed && result.curlCode == .timedOut && kept == 0)
    }

    @Test(arguments: [Stage.body, .finalDot])
    func `a stall once the body is sent ends at the deadline as unknown`(stage: Stage) async throws {
        let (result, _) = try await stall(at: stage)
        #expect(result.outcome == .unknown && result.curlCode == .timedOut, "\(result)")
    }

    /// What a stall comes to when the deadline passes in it.
    ///
    /// On a busy machine a short deadline may pass before the stage is reached. That says nothing, and a longer one is
    /// tried.
    private func stall(at stage: Stage) async throws -> (SMTPResult, kept: Int) {
        for milliseconds in [300, 1_500, 7_500, 37_500] {
            let script = SMTPScript(at: stage, .stall)
            let end = try await send(script, deadline: .milliseconds(milliseconds))
            if script.count(stage) > 0 { return end }
        }
        throw StageNotReached()
    }

    private struct StageNotReached: Error {}

    @Test func `a server that will not say good-bye after a refusal does not hold the thread for long`() async throws {
        let script = SMTPScript { moment in
            switch moment.stage {
            case .rcpt: .reply(550, "No")
            case .quit: .stall
            default: .proceed
            }
        }
        // With libcurl's own limit this would take two minutes, which is this suite's limit.
        let (result, _) = try await send(script, deadline: .seconds(120))
        #expect(result.outcome == .rejected && result.replyCode == 550)
    }

    @Test func `a refused recipient costs the next mail a connection and nothing else`() async throws {
        let script = SMTPScript { $0.recipients.last == "bad@e.org" ? .reply(550, "No") : .proceed }
        try await SMTPServer.running(script: script) { server in
            try await withPool(server, connections: 1) { pool in
                #expect(await outcome(of: pool, to: "bad@e.org") == .rejected)
                #expect(await outcome(of: pool, to: "good@e.org") == .accepted)
            }
            #expect(await server.mails().map(\.recipients) == [["good@e.org"]])
        }
    }

    @Test(arguments: [SMTPScript.Behaviour.close, .reply(421, "4.4.2 Idle too long")])
    func `a pooled connection gone stale is replaced at once and nothing is sent twice`(
        behaviour: SMTPScript.Behaviour
    ) async throws {
        let script = SMTPScript { moment in
            moment.stage == .mail && moment.connection == 1 && moment.mailOfConnection == 2 ? behaviour : .proceed
        }
        try await SMTPServer.running(script: script) { server in
            try await withPool(server, connections: 1) { pool in
                #expect(await outcome(of: pool, to: "1@e.org") == .accepted)
                #expect(await outcome(of: pool, to: "2@e.org") == .accepted)
            }
            #expect(await server.mails().map(\.recipients) == [["1@e.org"], ["2@e.org"]])
            #expect(await server.mails().map(\.connection) == [1, 2])
        }
    }

    @Test func `a connection that breaks after a good reply is not retried in secret`() async throws {
        let script = SMTPScript { $0.stage == .rcpt && $0.mailOfConnection == 2 ? .close : .proceed }
        try await SMTPServer.running(script: script) { server in
            try await withPool(server, connections: 1) { pool in
                #expect(await outcome(of: pool, to: "1@e.org") == .accepted)
                #expect(await outcome(of: pool, to: "2@e.org") == .failed)
            }
            #expect(server.script.count(.connect) == 1)
        }
    }

    @Test func `nobody listening is a failure with nothing sent`() async throws {
        let server = try await SMTPServer.start()
        await server.stop()
        try await withPool(server) { pool in
            let result = await pool.send(try mail(to: "b@e.org"), deadline: .seconds(5))
            #expect(result.outcome == .failed && result.curlCode == .couldNotConnect && result.replyCode == nil)
        }
    }

    @Test func `a server without STARTTLS gets no mail where TLS is required`() async throws {
        try await SMTPServer.running { server in
            var relay = relay(server)
            relay.security = .startTLS
            let pool = SMTPPool(relay: relay)
            let result = await pool.send(try mail(to: "b@e.org"), deadline: .seconds(30))
            #expect(result.outcome == .failed && result.curlCode == .tlsRequired)
            #expect(server.script.count(.mail) == 0)
            await pool.shutdown()
        }
    }
}

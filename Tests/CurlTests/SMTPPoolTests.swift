import Curl
import GatepostDev
import Testing

/// Mails over the pool to a working server: the bytes, the connections, the queue.
@Suite(.timeLimit(.minutes(2)))
struct SMTPPoolTests {
    @Test func `a mail arrives byte for byte, dots and all`() async throws {
        let body = "Subject: dots\r\n\r\n.\r\n..\r\n.x\r\nmiddle . dot\r\n...\r\n"
        try await SMTPServer.running { server in
            try await withPool(server) { pool in
                let result = await pool.send(try mail(to: "b@example.org", body), deadline: .seconds(30))
                #expect(result.outcome == .accepted && result.replyCode == 250 && result.reachedNetwork)
                #expect(result.reply == "2.0.0 Kept" && result.curlCode == .ok)
            }
            let received = try await server.waitForMails(count: 1)
            #expect(received.map(\.text) == [body])
            #expect(received.first?.envelopeFrom == "from@example.com")
            #expect(received.first?.recipients == ["b@example.org"])
            #expect(received.first?.hasBareLineBreak == false)
        }
    }

    @Test func `a megabyte arrives whole`() async throws {
        let body = String(repeating: String(repeating: "x", count: 74) + "\r\n", count: 14_000)
        try await SMTPServer.running { server in
            try await withPool(server) { pool in
                #expect(await outcome(of: pool, to: "b@e.org", body) == .accepted)
            }
            #expect(try await server.waitForMails(count: 1).first?.text == body)
        }
    }

    @Test func `a second mail goes over the first one's connection and starts at MAIL`() async throws {
        try await SMTPServer.running { server in
            try await withPool(server, connections: 1) { pool in
                for _ in 0..<3 {
                    #expect(await outcome(of: pool, to: "b@e.org") == .accepted)
                }
            }
            #expect(await server.mails().map(\.connection) == [1, 1, 1])
            #expect(server.script.count(.connect) == 1 && server.script.count(.ehlo) == 1)
            #expect(server.script.count(.mail) == 3)
        }
    }

    @Test func `sixteen mails wait for the server side by side`() async throws {
        let script = SMTPScript(at: .finalDot, .stall)
        try await SMTPServer.running(script: script) { server in
            try await withPool(server, connections: 16) { pool in
                let message = try mail(to: "b@e.org")
                try await withThrowingTaskGroup(of: SMTPResult.Outcome.self) { group in
                    for _ in 0..<16 {
                        group.addTask { await pool.send(message, deadline: .seconds(60)).outcome }
                    }
                    try await script.reached(.finalDot, count: 16)
                    #expect(script.stalledCount == 16)
                    script.release()
                    for try await outcome in group { #expect(outcome == .accepted) }
                }
            }
        }
    }

    @Test func `waiting mails are taken back by cancellation, a full queue, the deadline and shutdown`() async throws {
        let script = SMTPScript(at: .finalDot, .stall)
        try await SMTPServer.running(script: script) { server in
            var limits = SMTPPool.Limits()
            limits.connectionsMax = 1
            limits.queuedMax = 1
            let pool = SMTPPool(relay: relay(server), limits: limits)
            let message = try mail(to: "b@e.org")
            async let first = pool.send(message, deadline: .seconds(60))
            try await script.reached(.finalDot)

            let expired = await pool.send(message, deadline: .milliseconds(50))
            #expect(expired.outcome == .notStarted(.deadline) && !expired.reachedNetwork)

            let waiting = Task { await pool.send(message, deadline: .seconds(60)) }
            while pool.queuedCount == 0 { await Task.yield() }
            #expect(await pool.send(message, deadline: .seconds(60)).outcome == .notStarted(.queueFull))
            waiting.cancel()
            #expect(await waiting.value.outcome == .notStarted(.cancelled))

            await withTaskGroup(of: SMTPResult.Outcome.self) { group in
                group.cancelAll()
                group.addTask { await pool.send(message, deadline: .seconds(60)).outcome }
                #expect(await group.next() == .notStarted(.cancelled))
            }

            let left = Task { await pool.send(message, deadline: .seconds(60)) }
            while pool.queuedCount == 0 { await Task.yield() }
            async let ended: Void = pool.shutdown()
            #expect(await left.value.outcome == .notStarted(.shutDown))
            script.release()
            #expect(await first.outcome == .accepted)
            await ended
            #expect(await pool.send(message, deadline: .seconds(1)).outcome == .notStarted(.shutDown))
            #expect(await server.mails().count == 1)
        }
    }

    @Test func `a connection that nobody uses is given up`() async throws {
        try await SMTPServer.running { server in
            var relay = relay(server)
            relay.idleTimeout = .milliseconds(50)
            let pool = SMTPPool(relay: relay)
            #expect(await outcome(of: pool, to: "b@e.org") == .accepted)
            try await server.script.reached(.quit)
            await pool.shutdown()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a server that will not say good-bye holds up neither the idle connection's end nor shutdown`() async throws {
        // libcurl by itself would wait two minutes for the answer to QUIT.
        try await SMTPServer.running(script: SMTPScript(at: .quit, .stall)) { server in
            var relay = relay(server)
            relay.idleTimeout = .milliseconds(50)
            let pool = SMTPPool(relay: relay)
            #expect(await outcome(of: pool, to: "b@e.org") == .accepted)
            try await server.script.reached(.quit)
            #expect(await outcome(of: pool, to: "b@e.org") == .accepted)
            await pool.shutdown()
        }
    }

    @Test func `a login is presented, and a wrong one is reported without it`() async throws {
        try await SMTPServer.running(login: .init(username: "user", password: "pass word")) { server in
            var relay = relay(server)
            relay.login = .init(username: "user", password: "pass word")
            let good = SMTPPool(relay: relay)
            #expect(await outcome(of: good, to: "b@e.org") == .accepted)
            await good.shutdown()
            relay.login = .init(username: "user", password: "other-secret")
            let bad = SMTPPool(relay: relay)
            let result = await bad.send(try mail(to: "b@e.org"), deadline: .seconds(30))
            #expect(result.outcome == .rejected && result.replyCode == 535)
            #expect(!"\(result)".contains("other-secret"))
            await bad.shutdown()
        }
    }

    @Test(arguments: ["a\r\nb", "", "a b", "a/b", "a@b", "a?x", "a#", "ä"])
    func `a relay whose names cannot stand in a URL sends nothing`(name: String) async throws {
        for relay in [
            SMTPRelay(host: name, port: 25, security: .none),
            SMTPRelay(host: "127.0.0.1", port: 25, security: .none, ehloName: name),
        ] {
            let pool = SMTPPool(relay: relay)
            let result = await pool.send(try mail(to: "b@e.org"), deadline: .seconds(5))
            #expect(result.outcome == .notStarted(.settings) && !result.reachedNetwork)
            await pool.shutdown()
        }
    }
}

func mail(to recipient: String, _ body: String = "Subject: x\r\n\r\nhello\r\n") throws -> SMTPMessage {
    try SMTPMessage(sender: "from@example.com", recipient: recipient, bytes: Array(body.utf8))
}

/// Sends one mail with a generous deadline; nil if the mail cannot be made.
func outcome(
    of pool: SMTPPool, to recipient: String, _ body: String = "Subject: x\r\n\r\nhello\r\n"
) async -> SMTPResult.Outcome? {
    guard let message = try? mail(to: recipient, body) else { return nil }
    return await pool.send(message, deadline: .seconds(60)).outcome
}

func relay(_ server: SMTPServer) -> SMTPRelay {
    var relay = SMTPRelay(
        host: "127.0.0.1", port: UInt16(server.port), security: .none, ehloName: "client.example.com")
    // To libcurl the greeting and the login are part of connecting, which takes long on a busy machine.
    relay.connectTimeout = .seconds(60)
    return relay
}

@discardableResult
func withPool<Result>(
    _ server: SMTPServer, connections: Int = 8, _ body: (SMTPPool) async throws -> Result
) async throws -> Result {
    var limits = SMTPPool.Limits()
    limits.connectionsMax = connections
    let pool = SMTPPool(relay: relay(server), limits: limits)
    do {
        let result = try await body(pool)
        await pool.shutdown()
        return result
    } catch {
        await pool.shutdown()
        throw error
    }
}

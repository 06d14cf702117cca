import GatepostDev
import NIOCore
import NIOPosix
import Testing

/// The server that the other suites rely on, spoken to in raw bytes.
@Suite(.timeLimit(.minutes(2)))
struct SMTPServerTests {
    @Test func `a mail arrives with its envelope, unstuffed dots and order`() async throws {
        try await SMTPServer.running { server in
            let replies = try await talk(
                to: server,
                [
                    "EHLO client", "MAIL FROM:<a@example.com> SIZE=10", "RCPT TO:<b@example.org>",
                    "RCPT TO:<c@example.org>", "DATA", "Subject: x\r\n\r\n..dot\r\n.", "QUIT",
                ])
            #expect(replies == [220, 250, 250, 250, 250, 354, 250, 221])
            let mail = try await server.waitForMail { $0.recipients.contains("c@example.org") }
            #expect(mail.envelopeFrom == "a@example.com")
            #expect(mail.recipients == ["b@example.org", "c@example.org"])
            #expect(mail.text == "Subject: x\r\n\r\n.dot\r\n")
            #expect(mail.order == 1 && mail.connection == 1 && !mail.hasBareLineBreak)
        }
    }

    @Test(arguments: ["a\nb", "a\rb", "a\n.\nb", "a\r\r\nb"])
    func `a line break that is not CR LF is flagged and ends nothing`(body: String) async throws {
        try await SMTPServer.running { server in
            _ = try await talk(to: server, ["EHLO c", "MAIL FROM:<>", "RCPT TO:<b@e>", "DATA", body + "\r\n."])
            let mails = try await server.waitForMails(count: 1)
            #expect(mails.map(\.hasBareLineBreak) == [true])
            #expect(mails.map(\.text) == [body + "\r\n"])
        }
    }

    @Test func `commands out of order, unknown ones and RSET are answered as the RFC says`() async throws {
        try await SMTPServer.running { server in
            let replies = try await talk(
                to: server,
                [
                    "MAIL FROM:<a@e>", "HELO c", "RCPT TO:<b@e>", "DATA", "MAIL FROM:a@e", "MAIL FROM:<a@e>",
                    "MAIL FROM:<a@e>", "RCPT TO:<>", "RSET", "RCPT TO:<b@e>", "NOOP", "VRFY x", "AUTH PLAIN x",
                ])
            #expect(replies == [220, 503, 250, 503, 503, 501, 250, 503, 501, 250, 503, 250, 502, 503])
        }
    }

    @Test func `a login is asked for and checked`() async throws {
        try await SMTPServer.running(login: .init(username: "u", password: "p")) { server in
            let plain = try await talk(
                to: server,
                ["EHLO c", "MAIL FROM:<a@e>", "AUTH PLAIN AHUAcQ==", "AUTH PLAIN AHUAcA==", "MAIL FROM:<a@e>"])
            #expect(plain == [220, 250, 530, 535, 235, 250])
            let login = try await talk(to: server, ["EHLO c", "AUTH LOGIN", "dQ==", "cA==", "MAIL FROM:<a@e>"])
            #expect(login == [220, 250, 334, 334, 235, 250])
        }
    }

    @Test func `size, recipients, line length, connections and kept mails are limited`() async throws {
        var limits = SMTPServer.Limits()
        limits.mailBytesMax = 100
        limits.recipientsMax = 1
        limits.commandBytesMax = 50
        limits.mailsKeptMax = 1
        try await SMTPServer.running(limits: limits) { server in
            let start = ["EHLO c", "MAIL FROM:<a@e>", "RCPT TO:<b@e>"]
            let recipients = try await talk(to: server, start + ["RCPT TO:<c@e>"])
            #expect(recipients == [220, 250, 250, 250, 452])
            let oneLine = try await talk(to: server, start + ["DATA", String(repeating: "x", count: 200)])
            #expect(oneLine.last == 552)
            let lines = String(repeating: "x\r\n", count: 50)
            let manyLines = try await talk(to: server, start + ["DATA", lines + "."])
            #expect(manyLines.last == 552)
            let command = try await talk(to: server, ["NOOP " + String(repeating: "x", count: 60)])
            #expect(command == [220, 500])
            _ = try await talk(to: server, start + ["DATA", "1\r\n."])
            _ = try await talk(to: server, start + ["DATA", "2\r\n."])
            #expect(try await server.waitForMails(count: 2).map(\.text) == ["2\r\n"])
        }
        limits.connectionsMax = 0
        try await SMTPServer.running(limits: limits) { server in
            let replies = try await talk(to: server, [])
            #expect(replies == [421])
        }
    }

    @Test(arguments: SMTPScript.Stage.allCases.filter { $0 != .quit })
    func `a script's reply or hang-up at any stage keeps nothing`(stage: SMTPScript.Stage) async throws {
        let dialogue = ["EHLO c", "MAIL FROM:<a@e>", "RCPT TO:<b@e>", "DATA", "x\r\n."]
        try await SMTPServer.running(script: SMTPScript(at: stage, .close)) { server in
            let replies = try await talk(to: server, dialogue)
            let whole = [220, 250, 250, 250, 354, 250]
            #expect(whole.starts(with: replies) && replies.count < whole.count)
            #expect(await server.mails().isEmpty)
        }
        try await SMTPServer.running(script: SMTPScript(at: stage, .reply(451, "4.3.0 Later"))) { server in
            let replies = try await talk(to: server, dialogue)
            #expect(replies.contains(451))
            #expect(await server.mails().isEmpty)
        }
    }

    @Test func `a mail can be kept and its reply withheld`() async throws {
        try await SMTPServer.running(script: SMTPScript(at: .finalDot, .closeAfterAccepting)) { server in
            let replies = try await talk(
                to: server, ["EHLO c", "MAIL FROM:<a@e>", "RCPT TO:<b@e>", "DATA", "x\r\n."])
            #expect(replies.last == 354)
            #expect(try await server.waitForMails(count: 1).count == 1)
        }
    }

    @Test func `a stalled stage is announced, and goes on when released`() async throws {
        let script = SMTPScript { $0.stage == .rcpt && $0.recipients.last == "slow@e" ? .stall : .proceed }
        try await SMTPServer.running(script: script) { server in
            async let replies = talk(
                to: server,
                ["EHLO c", "MAIL FROM:<a@e>", "RCPT TO:<quick@e>", "RCPT TO:<slow@e>", "DATA", "x\r\n.", "QUIT"])
            let moment = try await script.reached(.rcpt, count: 2)
            #expect(moment.recipients == ["quick@e", "slow@e"] && moment.envelopeFrom == "a@e")
            #expect(script.stalledCount == 1)
            #expect(await server.mails().isEmpty)
            script.release()
            #expect(try await replies == [220, 250, 250, 250, 250, 354, 250, 221])
            #expect(script.stalledCount == 0)
        }
    }

    @Test func `a wait that is not satisfied ends at its bound`() async throws {
        try await SMTPServer.running { server in
            _ = await #expect(throws: WaitTimedOut.self) {
                try await server.waitForMail(within: .milliseconds(20)) { _ in true }
            }
        }
    }
}

/// Sends each line when the reply to the one before has come, and gathers the codes of all replies.
private func talk(to server: SMTPServer, _ lines: [String]) async throws -> [Int] {
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(host: "127.0.0.1", port: server.port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    let codes = Watched<[Int]>([])
    do {
        try await channel.executeThenClose { inbound, outbound in
            var unread = ""
            var next = 0
            for try await chunk in inbound {
                unread += String(buffer: chunk)
                guard unread.hasSuffix("\r\n"), let last = unread.split(separator: "\r\n").last,
                    !last.dropFirst(3).hasPrefix("-"), let code = Int(last.prefix(3))
                else { continue }
                codes.update { $0.append(code) }
                unread = ""
                guard next < lines.count else { break }
                try await outbound.write(ByteBuffer(string: lines[next] + "\r\n"))
                next += 1
            }
        }
    } catch is IOError {
        // The server hung up while something was still on its way to it.
    } catch is ChannelError {
        // It hung up before we did.
    }
    return codes.current
}

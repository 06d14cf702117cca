@testable import Curl
import Testing

/// Which of a server's replies decides.
struct SMTPRepliesTests {
    private func deciding(_ lines: String...) -> SMTPReplies.Reply? {
        var replies = SMTPReplies()
        for line in lines { replies.receive(Array((line + "\r\n").utf8)) }
        return replies.deciding
    }

    @Test func `the refusal is kept, not the good-bye after it`() {
        #expect(
            deciding("220 hi", "250 ok", "550 5.1.1 No such user", "221 Bye")
                == .init(code: 550, text: "5.1.1 No such user"))
    }

    @Test func `the lines of one reply are joined`() {
        #expect(
            deciding("550-5.1.1 The mailbox", "550-5.1.1 does not exist.", "550 5.1.1 Sorry")
                == .init(code: 550, text: "5.1.1 The mailbox 5.1.1 does not exist. 5.1.1 Sorry"))
    }

    @Test func `a refusal that was got over is forgotten`() {
        #expect(deciding("220 hi", "502 no EHLO", "250 HELO", "354 go")?.code == 354)
    }

    @Test func `the last good reply stands when nothing was refused`() {
        #expect(deciding("250 ok", "354 go", "250 2.0.0 queued as 1", "221 bye")?.text == "2.0.0 queued as 1")
    }

    @Test(arguments: [
        (["554 no"], true), (["220 hi", "502 no EHLO"], false), (["220 hi", "502 no EHLO", "502 no HELO"], true),
        (["220 hi", "502 no EHLO", "250 HELO"], false), (["220 hi", "502 no EHLO", "250 HELO", "550 no MAIL"], true),
        (["220 hi", "250 ok", "220 TLS", "502 no EHLO"], false), (["220 hi", "250 ok", "550-no", "550 no"], true),
        (["220 hi", "250 ok", "550-not yet all"], false), (["220 hi", "250 ok", "354 go"], false), ([], false),
    ])
    func `after a refusal that nothing gets over, only the good-bye is left`(lines: [String], isLeft: Bool) {
        var replies = SMTPReplies()
        for line in lines { replies.receive(Array((line + "\r\n").utf8)) }
        #expect(replies.isGoodByeNext == isLeft)
    }

    @Test(arguments: ["", "25", "abc", "2x0 ok", "２５０ ok"])
    func `a line that is no reply is passed over`(line: String) {
        #expect(deciding(line) == nil)
    }

    @Test func `what is kept of a reply is bounded`() {
        var replies = SMTPReplies()
        for _ in 0..<50 { replies.receive(Array("550-\(String(repeating: "x", count: 500))\r\n".utf8)) }
        replies.receive(Array("550 end\r\n".utf8))
        #expect((replies.deciding?.text.utf8.count ?? 0) <= SMTPReplies.textBytesMax)
    }

    @Test func `a login prints neither name nor password`() {
        var relay = SMTPRelay(host: "h", port: 1, security: .tls)
        relay.login = .init(username: "visible-name", password: "visible-password")
        var dumped = ""
        dump(relay, to: &dumped)
        #expect(!"\(relay)\(dumped)".contains("visible"))
    }
}

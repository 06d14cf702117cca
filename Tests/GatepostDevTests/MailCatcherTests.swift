import GatepostDev
import NIOCore
import NIOPosix
import Testing

/// What the page of caught mails shows, from bytes that came over the wire.
@Suite(.timeLimit(.minutes(1)))
struct MailCatcherTests {
    @Test func `a mail of ours is read in all its parts`() async throws {
        let mail = try await caught(
            """
            Date: Tue, 24 Nov 2026 09:30:05 +0130
            From: =?utf-8?Q?Caf=C3=A9_Noir?= <no-reply@example.com>
            To: ada@example.com
            Subject: =?utf-8?B?QmVzdMOkdGlnZW4gU2ll?=
             =?utf-8?Q?_Ihre?= Adresse
            MIME-Version: 1.0
            Content-Type: multipart/alternative;
             boundary="=_b"

            This is the preamble.
            --=_b
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: quoted-printable

            Gr=C3=BC=C3=9Fe, hier ist Ihr Code: 123=
            456
            --=_b
            Content-Type: text/html; charset=utf-8
            Content-Transfer-Encoding: base64

            PHA+R3LDvMOf
            ZTwvcD4=
            --=_b--
            And this is the epilogue.
            """)
        #expect(mail.from == "Café Noir <no-reply@example.com>")
        #expect(mail.subject == "Bestätigen Sie Ihre Adresse")
        #expect(mail.sentAtUnixSeconds == 1_795_507_205)
        #expect(mail.text == "Grüße, hier ist Ihr Code: 123456")
        #expect(mail.html == "<p>Grüße</p>")
        #expect(mail.raw.hasPrefix("Date: Tue"))
    }

    @Test func `a mail of one part, in Latin 1, is read`() async throws {
        let mail = try await caught(
            """
            subject: plain
            content-type: TEXT/PLAIN; charset="ISO-8859-1"
            content-transfer-encoding: Quoted-Printable

            caf=E9 1=2
            """)
        #expect(mail.text == "café 1=2\r\n")
        #expect(mail.subject == "plain" && mail.html == nil && mail.sentAtUnixSeconds == nil)
        #expect(mail.from == "sender@example.com")
    }

    @Test(
        arguments: [
            "", "no header at all", "Subject", "Content-Type: multipart/mixed\n\n--\n--",
            "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nend",
            "Subject: =?utf-8?B?!!!?= =?x?Q?=ZZ?= =?utf-8?Q?\n\n=",
        ])
    func `a mail that is not well-formed is kept as it is`(message: String) async throws {
        let mail = try await caught(message)
        #expect(mail.raw == message.replacing("\n", with: "\r\n") + "\r\n")
    }

    @Test func `mails are nested only so deep`() async throws {
        let open = (0..<40).map { "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n" }.joined()
        let mail = try await caught(open + "Content-Type: text/html\n\n<p>")
        #expect(mail.html == nil)
    }

    @Test func `the newest comes first, and the oldest goes`() async throws {
        let catcher = try await MailCatcher.start(mailsKeptMax: 2)
        for subject in ["one", "two", "three"] {
            try await send("Subject: \(subject)", to: "ada@example.com", port: catcher.port)
        }
        #expect(await catcher.mails().map(\.subject) == ["three", "two"])
        #expect(await catcher.mail("3")?.subject == "three")
        #expect(await catcher.mail("1") == nil)
        #expect(try await catcher.waitForMail(to: "ada@example.com").receivedAtOrder == 2)
        await catcher.forgetMails()
        #expect(await catcher.mails().isEmpty)
        await catcher.stop()
    }

    private func caught(_ message: String) async throws -> CaughtMail {
        let catcher = try await MailCatcher.start()
        try await send(message, to: "ada@example.com", port: catcher.port)
        let mail = try await catcher.waitForMail(to: "ada@example.com")
        #expect(mail.to == ["ada@example.com"])
        await catcher.stop()
        return mail
    }

    /// Speaks SMTP all at once and waits for the end of the connection, by when the mail is kept.
    private func send(_ message: String, to recipient: String, port: Int) async throws {
        let client = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await client.executeThenClose { inbound, outbound in
            let dialogue =
                ["EHLO test", "MAIL FROM:<sender@example.com>", "RCPT TO:<\(recipient)>", "DATA"]
                + message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) + [".", "QUIT", ""]
            try await outbound.write(ByteBuffer(string: dialogue.joined(separator: "\r\n")))
            for try await _ in inbound {}
        }
    }
}

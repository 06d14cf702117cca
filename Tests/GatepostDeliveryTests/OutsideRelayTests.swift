import Foundation
import GatepostDelivery
import TestSupport
import Testing

/// Mails to aiosmtpd, a server that we did not write, over TLS that is right and TLS that is wrong.
@Suite(.timeLimit(.minutes(2)))
struct OutsideRelayTests {
    /// Writes its authority's certificate where it is told, prints its port, then a line for each mail.
    ///
    /// trustme makes the certificates. The first argument is the name in the certificate, the second `starttls`, `tls`
    /// or `plain`.
    private static let server = """
        import asyncio, json, ssl, sys, trustme
        from aiosmtpd.smtp import SMTP
        name, mode, path = sys.argv[1:]
        authority = trustme.CA()
        authority.cert_pem.write_to_path(path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        class Sink:
            async def handle_DATA(self, server, session, envelope):
                isEncrypted = server.transport.get_extra_info("cipher") is not None
                content = envelope.content.decode("ascii")
                print(json.dumps([envelope.mail_from, envelope.rcpt_tos, isEncrypted, content]), flush=True)
                return "250 2.0.0 taken"
        async def main():
            options = dict(tls_context=context, require_starttls=True) if mode == "starttls" else {}
            server = await asyncio.get_running_loop().create_server(
                lambda: SMTP(Sink(), **options), "127.0.0.1", 0, ssl=context if mode == "tls" else None)
            print(server.sockets[0].getsockname()[1], flush=True)
            await server.serve_forever()
        asyncio.run(main())
        """

    private func run(
        name: String = "127.0.0.1", mode: String, scheme: String, requiresTLS: Bool, isTrusted: Bool = true
    ) async throws -> (result: AttemptResult, lines: [String]) {
        let certificate = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).pem").path
        defer { try? FileManager.default.removeItem(atPath: certificate) }
        let program = try await OutsideProgram(OutsideProgram.python, ["-c", Self.server, name, mode, certificate])
        let port = try await program.lines(count: 1)[0]
        let relay = try #require(
            MailRelay(
                url: "\(scheme)://127.0.0.1:\(port)", requiresTLS: requiresTLS,
                caBundlePath: isTrusted ? certificate : nil))
        let transport = MailTransport(relay: relay, connectionsMax: 1)
        let mail = try MailMessageTests.mail(name: "Démo", subject: "Grüße", text: "ä\n.\nb\n")
        let result = await transport.send(mail, deadline: .seconds(60))
        if result.outcome == .delivered { _ = try await program.lines(count: 2) }
        await transport.shutdown()
        let lines = try await program.lines(count: 1)
        await program.stop()
        return (result, Array(lines.dropFirst()))
    }

    @Test(arguments: [("plain", "smtp", false), ("starttls", "smtp", true), ("tls", "smtps", true)])
    func `a mail arrives whole, and under TLS where that is asked for`(
        mode: String, scheme: String, requiresTLS: Bool
    ) async throws {
        let (result, lines) = try await run(mode: mode, scheme: scheme, requiresTLS: requiresTLS)
        #expect(result.outcome == .delivered && result.reply == "2.0.0 taken", "\(result)")
        let line = try #require(lines.first)
        let received = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [Any])
        #expect(received[0] as? String == "no-reply@mail.example.com")
        #expect(received[1] as? [String] == ["person+tag@example.org"])
        #expect(received[2] as? Bool == (mode != "plain"))
        let mail = try MailMessageTests.mail(name: "Démo", subject: "Grüße", text: "ä\n.\nb\n")
        #expect(received[3] as? String == String(decoding: mail.bytes, as: UTF8.self))
    }

    @Test(arguments: [
        ("starttls", "smtp", "relay.example.com", true), ("tls", "smtps", "relay.example.com", true),
        ("starttls", "smtp", "127.0.0.1", false), ("tls", "smtps", "127.0.0.1", false),
        ("plain", "smtp", "127.0.0.1", true), ("plain", "smtps", "127.0.0.1", true),
    ])
    func `a wrong name, an unknown authority or no TLS at all: the mail is not sent`(
        mode: String, scheme: String, name: String, isTrusted: Bool
    ) async throws {
        let (result, lines) = try await run(
            name: name, mode: mode, scheme: scheme, requiresTLS: true, isTrusted: isTrusted)
        #expect(result.outcome == .transient && result.reachedNetwork && result.code == nil, "\(result)")
        #expect(lines.isEmpty)
    }
}

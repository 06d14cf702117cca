/// Receives mails by real SMTP on loopback and shows what is in them; none leaves this machine.
///
/// `gatepost dev` sends to it what production sends to a mail server, so the whole way of a mail is tried.
package final class MailCatcher: Sendable {
    /// How many mails are kept unless told otherwise; the oldest go.
    package static let mailsKeptDefault = 200

    private let server: SMTPServer

    private init(_ server: SMTPServer) {
        self.server = server
    }

    /// Starts to listen on loopback.
    ///
    /// - Parameters:
    ///   - port: The port, 0 for a free one.
    ///   - mailsKeptMax: How many mails are kept.
    /// - Returns: The catcher, which already listens.
    /// - Throws: What the system says if the port is taken.
    package static func start(
        port: Int = 0, mailsKeptMax: Int = MailCatcher.mailsKeptDefault
    ) async throws -> MailCatcher {
        var limits = SMTPServer.Limits()
        limits.mailsKeptMax = mailsKeptMax
        return MailCatcher(try await SMTPServer.start(port: port, limits: limits))
    }

    /// The port it listens on.
    package var port: Int { server.port }

    /// The mails that are kept, newest first.
    package func mails() async -> [CaughtMail] {
        await server.mails().reversed().map(CaughtMail.init)
    }

    /// The mail with this id, unless it is gone.
    package func mail(_ id: String) async -> CaughtMail? {
        await server.mails().first { String($0.order) == id }.map(CaughtMail.init)
    }

    /// Waits for a mail to this address, at once if one is already here.
    ///
    /// - Parameters:
    ///   - recipient: The address as it stands on the envelope.
    ///   - bound: How long to wait at most.
    /// - Returns: The oldest such mail that is kept.
    /// - Throws: `WaitTimedOut` or `CancellationError`.
    package func waitForMail(to recipient: String, within bound: Duration = .seconds(30)) async throws -> CaughtMail {
        CaughtMail(try await server.waitForMail(within: bound) { $0.recipients.contains(recipient) })
    }

    /// Forgets the mails; the order goes on counting.
    package func forgetMails() async {
        await server.forgetMails()
    }

    /// Stops listening; the mails stay readable.
    package func stop() async {
        await server.stop()
    }
}

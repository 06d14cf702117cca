import Curl
import GatepostModel

/// Hands mails to the relay, over SMTP.
///
/// Knows no database: it takes a finished mail and says what the relay made of it.
package final class MailTransport: Sendable {
    private let pool: SMTPPool

    /// Starts the connections' threads; each connects when it has something to send.
    package init(relay: MailRelay, connectionsMax: Int) {
        var limits = SMTPPool.Limits()
        limits.connectionsMax = connectionsMax
        pool = SMTPPool(relay: relay.relay, limits: limits)
    }

    /// Sends one mail; errors are results, because the caller must record each try.
    package func send(_ mail: MailMessage, deadline: Duration) async -> AttemptResult {
        do {
            let message = try SMTPMessage(
                sender: mail.from.address.ascii, recipient: mail.to.ascii, bytes: mail.bytes)
            return Self.result(of: await pool.send(message, deadline: deadline))
        } catch {
            return AttemptResult(
                .permanent, code: nil, reply: "cannot be sent as a mail: \(error)", reachedNetwork: false)
        }
    }

    /// Lets running deliveries end and closes the connections.
    package func shutdown() async {
        await pool.shutdown()
    }

    /// By the reply first (RFC 5321, section 4.2.1), by libcurl's code only where there is none.
    private static func result(of sent: SMTPResult) -> AttemptResult {
        let outcome: AttemptResult.Outcome =
            switch sent.outcome {
            case .accepted: .delivered
            case .rejected: .permanent
            case .unknown: .indeterminate
            case .deferred, .failed, .notStarted: .transient
            }
        let words =
            if case .notStarted(let reason) = sent.outcome {
                "not tried: \(reason)"
            } else if sent.outcome == .unknown {
                "the connection was lost after the whole mail was sent; last reply: \(sent.reply)"
            } else if sent.reply.isEmpty || sent.outcome == .failed {
                "no reply: \(sent.curlCode)"
            } else {
                sent.reply
            }
        let isDecided = sent.outcome != .unknown && sent.outcome != .failed
        return AttemptResult(
            outcome, code: isDecided ? sent.replyCode : nil, reply: words, reachedNetwork: sent.reachedNetwork,
            isDestinationFailing: sent.isRelayFailing)
    }
}

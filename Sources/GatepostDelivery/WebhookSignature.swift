import Crypto
import Curl
import FoundationEssentials
package import GatepostModel

/// Signs a notice as Standard Webhooks asks for: HMAC-SHA-256 over id, time and body, by each secret that lives.
///
/// The id is the message's and the same at every try, so that a receiver can tell a repeat; the time is that of the
/// try, so that a receiver can refuse an old one.
package struct WebhookSignature: Sendable {
    /// Identifies the notice, whatever the try.
    package let id: String
    /// Seconds since 1970, of this try.
    package let timestamp: Int64
    /// `v1,` and base 64, one for each secret, with a space between.
    package let signatures: String

    /// Signs the bytes that will be sent.
    package init(of body: [UInt8], id: String, at now: Instant, secrets: [WebhookSecret]) {
        (self.id, timestamp) = (id, now.seconds)
        let signed = Array("\(id).\(now.seconds).".utf8) + body
        signatures = secrets.map { secret in
            let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: secret.bytes))
            return "v1," + Data(code).base64EncodedString()
        }.joined(separator: " ")
    }

    /// The header fields.
    var headers: [HTTPRequest.Header] {
        [
            .init("webhook-id", id), .init("webhook-timestamp", "\(timestamp)"),
            .init("webhook-signature", signatures),
        ]
    }
}

extension HTTPTransport {
    /// Posts a signed notice; the bytes signed are the bytes sent.
    ///
    /// - Parameters:
    ///   - body: JSON.
    ///   - url: The endpoint.
    ///   - signature: Made of this body.
    ///   - trace: The span that this try is, for the receiver.
    ///   - now: The time that a `Retry-After` with a date is measured from.
    ///   - deadline: How long it may take; at most `exchangeDeadline`.
    /// - Returns: What the receiver made of it.
    package func postNotice(
        _ body: [UInt8], to url: String, signature: WebhookSignature, trace: TraceContext? = nil, now: Instant,
        deadline: Duration
    ) async -> AttemptResult {
        var headers: [HTTPRequest.Header] = [
            .init("Content-Type", "application/json"), .init("User-Agent", "Gatepost-Webhooks/1"),
        ]
        if let trace { headers.append(.init("traceparent", trace.traceparent)) }
        return await post(body, to: url, headers: headers + signature.headers, now: now, deadline: deadline)
    }
}

import Crypto
import Foundation

/// Why a notice is refused.
public enum WebhookRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// Without `webhook-id`, `webhook-timestamp` or `webhook-signature`, or with one that cannot be read.
    case malformedHeaders
    /// Sent longer ago than the tolerance, or later than now: perhaps somebody sends it once more.
    case wrongTime(Int64)
    /// None of the signatures is of a secret that is known here.
    case badSignature
    /// Signed, and no notice.
    case malformedBody

    public var description: String {
        switch self {
        case .malformedHeaders: "the webhook-… headers are missing or malformed"
        case .wrongTime: "the notice was not sent now"
        case .badSignature: "no signature is of a known secret"
        case .malformedBody: "the body is no notice"
        }
    }
}

/// Verifies notices as Standard Webhooks has it: HMAC-SHA-256 over id, time and body.
public struct WebhookVerifier: Sendable {
    /// A text that is no secret; it is not repeated.
    public struct MalformedSecret: Error, Sendable, CustomStringConvertible {
        public let description = "a secret is whsec_ and 24 to 64 bytes in base 64"
    }

    /// The most signatures that are looked at: Gatepost sends one for each secret that lives.
    private static let signaturesMax = 16

    private let keys: [SymmetricKey]
    private let toleranceSeconds: Int64
    private let clock: any ClientClock

    /// Takes an endpoint's secrets: one, or the old one and the new one while they are exchanged.
    ///
    /// - Parameters:
    ///   - secrets: `whsec_…`, as Gatepost showed them once.
    ///   - toleranceSeconds: How far a notice's time may be from now.
    ///   - clock: The time.
    /// - Throws: `MalformedSecret`.
    public init(
        secrets: [String], toleranceSeconds: Int64 = 300, clock: any ClientClock = SystemClock()
    ) throws(MalformedSecret) {
        var keys: [SymmetricKey] = []
        for secret in secrets {
            guard secret.hasPrefix("whsec_"), let bytes = Data(base64Encoded: String(secret.dropFirst(6))),
                (24...64).contains(bytes.count)
            else { throw MalformedSecret() }
            keys.append(SymmetricKey(data: bytes))
        }
        guard !keys.isEmpty else { throw MalformedSecret() }
        (self.keys, self.toleranceSeconds, self.clock) = (keys, toleranceSeconds, clock)
    }

    /// Verifies a notice.
    ///
    /// - Parameters:
    ///   - body: The bytes as they came; not JSON that was read and written again.
    ///   - id: The header `webhook-id`.
    ///   - timestamp: The header `webhook-timestamp`.
    ///   - signature: The header `webhook-signature`.
    /// - Returns: What it tells.
    /// - Throws: `WebhookRefusal`.
    public func verify(
        _ body: [UInt8], id: String?, timestamp: String?, signature: String?
    ) throws(WebhookRefusal) -> WebhookNotice {
        guard let id, (1...255).contains(id.utf8.count), let timestamp, let seconds = Self.seconds(timestamp),
            let signature
        else { throw .malformedHeaders }
        // Both are far from the ends of the type: there is no overflow.
        guard abs(clock.unixSeconds - seconds) <= toleranceSeconds else { throw .wrongTime(seconds) }
        let signed = Array("\(id).\(timestamp).".utf8) + body
        let codes = signature.split(separator: " ").prefix(Self.signaturesMax).compactMap { text -> Data? in
            text.hasPrefix("v1,") ? Data(base64Encoded: String(text.dropFirst(3))) : nil
        }
        // In constant time, each of them.
        let isGenuine = codes.contains { code in
            keys.contains { HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: signed, using: $0) }
        }
        guard isGenuine else { throw .badSignature }
        guard let notice = WebhookNotice(id: id, body: body) else { throw .malformedBody }
        return notice
    }

    /// Seconds since 1970, in digits and nothing else.
    private static func seconds(_ text: String) -> Int64? {
        guard (1...12).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }
}

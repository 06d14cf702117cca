public import GatepostClient
import HTTPTypes
import Hummingbird
public import HummingbirdCore
import NIOCore

extension Request {
    /// The most bytes that a notice has.
    private static let noticeBytesMax = 64 * 1024

    /// Reads and verifies a notice of Gatepost's; throws the answer for what is none: 400, or 413 for a longer body.
    ///
    /// Answer 2xx before you work: a notice that is not taken within 20 seconds comes again.
    ///
    /// - Parameter verifier: Knows the endpoint's secrets.
    /// - Returns: What Gatepost tells.
    /// - Throws: `HTTPError`, or why the body could not be read.
    public func notice(verifiedBy verifier: WebhookVerifier) async throws -> WebhookNotice {
        let body: ByteBuffer
        do {
            body = try await self.body.collect(upTo: Self.noticeBytesMax)
        } catch is NIOTooManyBytesError {
            throw HTTPError(.contentTooLarge)
        }
        do throws(WebhookRefusal) {
            return try verifier.verify(
                Array(body.readableBytesView), id: field("webhook-id"), timestamp: field("webhook-timestamp"),
                signature: field("webhook-signature"))
        } catch {
            throw HTTPError(.badRequest, message: error.description)
        }
    }

    /// A field that comes once; one that comes twice is as good as none.
    private func field(_ name: String) -> String? {
        let values = HTTPField.Name(name).map { headers[values: $0] } ?? []
        return values.count == 1 ? values[0] : nil
    }
}

import Foundation
import GatepostDelivery
@testable import GatepostModel
import Testing

@Suite("Webhook signature")
struct WebhookSignatureTests {
    private func secret(_ base64: String) throws -> WebhookSecret {
        WebhookSecret(bytes: Array(try #require(Data(base64Encoded: base64))))
    }

    /// The example of the specification's libraries.
    @Test func `the published example comes out`() throws {
        let secret = try secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        let signature = WebhookSignature(
            of: Array(#"{"test": 2432232314}"#.utf8), id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at: Instant(seconds: 1_614_265_330), secrets: [secret])

        #expect(signature.signatures == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        #expect(signature.timestamp == 1_614_265_330 && signature.id == "msg_p5jXN8AQM9LWM0D4loKWxJek")
        #expect(secret.text.revealed == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    }

    @Test func `two secrets make two signatures, each that of its own`() throws {
        let (one, other) = (WebhookSecret.make(random: SystemRandom()), WebhookSecret.make(random: SystemRandom()))
        func sign(_ secrets: [WebhookSecret], _ body: String = "{}", id: String = "msg_1", at second: Int64 = 5)
            -> String
        {
            WebhookSignature(of: Array(body.utf8), id: id, at: Instant(seconds: second), secrets: secrets).signatures
        }

        #expect(sign([one, other]) == "\(sign([one])) \(sign([other]))")
        #expect(Set([sign([one]), sign([one], "{ }"), sign([one], id: "msg_2"), sign([one], at: 6)]).count == 4)
    }
}

import Crypto
import Foundation
import GatepostClient
import Testing

/// Which notices are taken (Standard Webhooks).
@Suite("GatepostClient: webhooks")
struct WebhookTests {
    let clock = ManualClock()
    let old = Data(repeating: 1, count: 32)
    let new = Data(repeating: 2, count: 32)
    let body = Array(
        #"""
        {"data":{"app_id":"app_1","email":"ada@example.com","plan":7,"user_id":"usr_1"},\#
        "timestamp":"2026-03-02T09:00:00.000000Z","type":"user.verified"}
        """#.utf8)

    private func text(_ secret: Data) -> String { "whsec_" + secret.base64EncodedString() }

    private func signature(_ secret: Data, id: String = "msg_1", at time: Int64 = ManualClock.start) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("\(id).\(time).".utf8) + body, using: SymmetricKey(data: secret))
        return "v1," + Data(code).base64EncodedString()
    }

    private func verify(
        _ secrets: [Data], body: [UInt8]? = nil, id: String? = "msg_1", time: String? = "\(ManualClock.start)",
        signature: String?
    ) throws -> WebhookNotice {
        try WebhookVerifier(secrets: secrets.map(text), clock: clock)
            .verify(body ?? self.body, id: id, timestamp: time, signature: signature)
    }

    @Test func `a notice is taken, and read`() throws {
        struct More: Decodable {
            let plan: Int
        }
        let notice = try verify([old], signature: signature(old))

        #expect(notice.id == "msg_1" && notice.type == "user.verified" && notice.app == "app_1")
        #expect(notice.user == "usr_1" && notice.email == "ada@example.com" && notice.session == nil)
        #expect(notice.timestamp == "2026-03-02T09:00:00.000000Z")
        #expect(try notice.data(as: More.self).plan == 7)
    }

    @Test func `while secrets are exchanged, either side may be ahead`() throws {
        let both = signature(new) + " " + signature(old)
        #expect(try verify([old], signature: both).user == "usr_1")
        #expect(try verify([new], signature: both).user == "usr_1")
        #expect(try verify([new, old], signature: signature(old)).user == "usr_1")
        #expect(try verify([new, old], signature: "v1a,AAAA v1, " + signature(new)).user == "usr_1")
    }

    @Test func `what was changed on the way is refused`() throws {
        let good = signature(old)
        #expect(throws: WebhookRefusal.badSignature) { try verify([new], signature: good) }
        #expect(throws: WebhookRefusal.badSignature) { try verify([old], body: body + [0x20], signature: good) }
        #expect(throws: WebhookRefusal.badSignature) { try verify([old], body: [], signature: good) }
        #expect(throws: WebhookRefusal.badSignature) { try verify([old], id: "msg_2", signature: good) }
        let later = "\(ManualClock.start + 1)"
        #expect(throws: WebhookRefusal.badSignature) { try verify([old], time: later, signature: good) }
        for text in ["", "v1,", "v1", good.replacing("v1,", with: "v2,"), String(good.dropFirst(3)), good.lowercased()]
        {
            #expect(throws: WebhookRefusal.badSignature) { try verify([old], signature: text) }
        }
    }

    @Test func `a notice of another time is refused, to the second`() throws {
        for (offset, isTaken) in [(-301, false), (-300, true), (300, true), (301, false)] as [(Int64, Bool)] {
            let time = ManualClock.start + offset
            let signature = signature(old, at: time)
            if isTaken {
                #expect(try verify([old], time: "\(time)", signature: signature).user == "usr_1")
            } else {
                #expect(throws: WebhookRefusal.wrongTime(time)) {
                    try verify([old], time: "\(time)", signature: signature)
                }
            }
        }
    }

    @Test func `headers that are missing or no numbers are refused`() {
        let good = signature(old)
        #expect(throws: WebhookRefusal.malformedHeaders) { try verify([old], id: nil, signature: good) }
        #expect(throws: WebhookRefusal.malformedHeaders) { try verify([old], id: "", signature: good) }
        #expect(throws: WebhookRefusal.malformedHeaders) { try verify([old], signature: nil) }
        for time in [nil, "", "now", "-1", "+1772442000", " 1772442000", "1772442000.0", "9223372036854775808"] {
            #expect(throws: WebhookRefusal.malformedHeaders) { try verify([old], time: time, signature: good) }
        }
    }

    @Test func `a signed body that is no notice is refused, and a new type is none of that`() throws {
        for body in ["null", "{}", "[]", "x", #"{"type":"a","timestamp":"b"}"#] {
            let verifier = try WebhookVerifier(secrets: [text(old)], clock: clock)
            let code = HMAC<SHA256>.authenticationCode(
                for: Array("msg_1.\(ManualClock.start).\(body)".utf8), using: SymmetricKey(data: old))
            #expect(throws: WebhookRefusal.malformedBody) {
                try verifier.verify(
                    Array(body.utf8), id: "msg_1", timestamp: "\(ManualClock.start)",
                    signature: "v1," + Data(code).base64EncodedString())
            }
        }
    }

    @Test(arguments: ["", "whsec_", "whsec_AAAA", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "whsec_%"])
    func `what is no secret is refused when the program starts, and is not repeated`(_ secret: String) {
        #expect(throws: WebhookVerifier.MalformedSecret.self) { try WebhookVerifier(secrets: [secret]) }
        #expect(throws: WebhookVerifier.MalformedSecret.self) { try WebhookVerifier(secrets: []) }
    }
}

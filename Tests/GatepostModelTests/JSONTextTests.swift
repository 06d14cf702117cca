import Foundation
import GatepostModel
import Testing

@Suite("JSON texts")
struct JSONTextTests {
    @Test func `members stand in the order in which they are added, objects within`() {
        var text = JSONText()
        text.add("none") { _ in }
        text.add("at", Instant(microseconds: 1_500_000))
        text.add("count", -42)
        text.add("user") { text in
            text.add("id", UserID(uuid: UUIDBits(high: 0, low: 1)))
            text.add("name", "Ada")
        }
        text.end()
        let id = UserID(uuid: UUIDBits(high: 0, low: 1))
        #expect(
            String(decoding: text.bytes, as: UTF8.self)
                == #"{"none":{},"at":"1970-01-01T00:00:01.500000Z","count":-42,"user":{"id":"\#(id)","name":"Ada"}}"#)
    }

    @Test func `every text is read back by another reader as it was written`() throws {
        let ascii = (0...0x7F).compactMap { Unicode.Scalar($0).map(String.init) }
        for text in ascii + ["", "\\\"", "a\u{0}b\n", "é漢\u{1F600}", "\u{2028}", "</script>"] {
            var json = JSONText()
            json.add(text, text)
            json.end()
            let read = try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String: String]
            #expect(read == [text: text])
            #expect(!json.bytes.contains { $0 < 0x20 || $0 == 0x7F })
        }
    }
}

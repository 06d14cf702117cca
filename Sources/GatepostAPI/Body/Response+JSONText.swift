import GatepostModel
import Hummingbird

extension Response {
    /// Answers with a text that was written by hand, as the encoder's answers look.
    init(_ text: JSONText) {
        self.init(
            status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(bytes: text.bytes)))
    }
}

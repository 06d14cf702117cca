import GatepostModel
import Synchronization

/// Gives tokens their ids (RFC 7519, section 4.1.7): 144 bits of chance, so that no other token has the same one.
///
/// The chance is drawn and written down for many tokens at a time: one by one it took a fifth of all that is beside the
/// signature. An id is no secret, so what lies drawn in memory opens nothing.
final class TokenIDs: Sendable {
    /// Whole groups of base 64, so that many ids in a row are written in one go.
    private static let byteCount = 18
    private static let characterCount = byteCount * 4 / 3
    private static let drawnAtOnce = 14

    private let random: any RandomSource
    private let drawn = Mutex<ArraySlice<UInt8>>([])

    init(random: any RandomSource) {
        self.random = random
    }

    /// Writes the next id to the end of a text.
    func append(to text: inout String) {
        drawn.withLock { drawn in
            if drawn.isEmpty {
                var written: [UInt8] = []
                Base64URL.append(random.bytes(Self.byteCount * Self.drawnAtOnce), to: &written)
                drawn = written[...]
            }
            text += String(decoding: drawn.prefix(Self.characterCount), as: UTF8.self)
            drawn.removeFirst(Self.characterCount)
        }
    }
}

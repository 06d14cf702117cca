/// Base 64 for URLs and tokens: `-` and `_`, no padding (RFC 4648, section 5).
///
/// Foundation has only the other alphabet, and would pass what a verifier must refuse: this decoder takes one
/// spelling of each byte string (RFC 8725, section 2.4: two spellings of one token are a way around a deny list).
package enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
        return table
    }()

    /// Encodes bytes without padding.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var output: [UInt8] = []
        append(bytes, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// Encodes bytes at the end of a buffer, as a token is written.
    package static func append(_ bytes: some Sequence<UInt8>, to output: inout [UInt8]) {
        // Copied once, or the loop would be compiled for any sequence, which takes ten times as long.
        append(array: Array(bytes), to: &output)
    }

    private static func append(array bytes: [UInt8], to output: inout [UInt8]) {
        let alphabet = alphabet
        var position = output.count
        output.append(contentsOf: repeatElement(0, count: (bytes.count * 4 + 2) / 3))
        let wholeCount = bytes.count - bytes.count % 3
        for start in stride(from: 0, to: wholeCount, by: 3) {
            let group = Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
            output[position] = alphabet[group >> 18]
            output[position + 1] = alphabet[group >> 12 & 63]
            output[position + 2] = alphabet[group >> 6 & 63]
            output[position + 3] = alphabet[group & 63]
            position += 4
        }
        let left = bytes.count - wholeCount
        guard left > 0 else { return }
        let group = Int(bytes[wholeCount]) << 16 | (left > 1 ? Int(bytes[wholeCount + 1]) << 8 : 0)
        output[position] = alphabet[group >> 18]
        output[position + 1] = alphabet[group >> 12 & 63]
        if left > 1 { output[position + 2] = alphabet[group >> 6 & 63] }
    }

    /// Decodes; nil for padding, another alphabet, an impossible length or bits left over.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        decode(array: Array(text))
    }

    private static func decode(array text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        let values = values
        var output: [UInt8] = []
        output.reserveCapacity(text.count * 3 / 4)
        var buffer: UInt32 = 0
        var bitCount = 0
        for character in text {
            let value = values[Int(character)]
            guard value != 255 else { return nil }
            buffer = buffer << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                output.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bitCount)))
            }
        }
        return buffer & (1 << UInt32(bitCount) - 1) == 0 ? output : nil
    }
}

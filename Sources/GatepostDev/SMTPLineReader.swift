import NIOCore

/// Cuts what a client sends into lines that end in CR LF, and nothing else.
///
/// A lone LF does not end a line. A server that took it for an end would see `LF . LF` as the end of a mail, and
/// tests against it could not tell a body that smuggles from one that does not.
struct SMTPLineReader: ~Copyable {
    enum Line {
        case line([UInt8])
        case tooLong
        case end
    }

    private var chunks: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var buffer: [UInt8] = []
    /// Where the next line begins in `buffer`.
    private var start = 0

    init(_ stream: NIOAsyncChannelInboundStream<ByteBuffer>) {
        chunks = stream.makeAsyncIterator()
    }

    /// Waits until there is at least one byte to read; false at the end of the stream.
    mutating func waitForBytes() async throws -> Bool {
        if start < buffer.count { return true }
        return try await fill()
    }

    /// Reads the next line, without its CR LF.
    mutating func next(bytesMax: Int) async throws -> Line {
        var searched = start
        while true {
            if let end = lineEnd(from: searched) {
                defer { start = end + 2 }
                return end - start > bytesMax ? .tooLong : .line(Array(buffer[start..<end]))
            }
            guard buffer.count - start <= bytesMax + 1 else { return .tooLong }
            let length = buffer.count - start
            guard try await fill() else { return .end }
            // A CR may have been the last byte of what was searched.
            searched = start + max(0, length - 1)
        }
    }

    private func lineEnd(from index: Int) -> Int? {
        var index = index
        while index + 1 < buffer.count {
            if buffer[index] == carriageReturn, buffer[index + 1] == lineFeed { return index }
            index += 1
        }
        return nil
    }

    private mutating func fill() async throws -> Bool {
        guard let chunk = try await chunks.next() else { return false }
        buffer.removeFirst(start)
        start = 0
        buffer.append(contentsOf: chunk.readableBytesView)
        return true
    }
}

let carriageReturn = UInt8(ascii: "\r")
let lineFeed = UInt8(ascii: "\n")

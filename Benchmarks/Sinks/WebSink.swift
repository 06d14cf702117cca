import NIOCore

/// One HTTP connection of a receiver whose paths are endpoints: a healthy one and several that are not.
///
/// `/takes` answers 200 at once, `/thinks` after the pause, `/hangs` never, `/endless` with a body that has no end,
/// `/redirects` with 302.
final class WebSink: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let taken = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
    private static let moved = ByteBuffer(
        string: "HTTP/1.1 302 Found\r\nLocation: /takes\r\nContent-Length: 0\r\n\r\n")
    private static let chunked = ByteBuffer(string: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    private static let chunk = ByteBuffer(string: "800\r\n" + String(repeating: "x", count: 2048) + "\r\n")

    private let pause: TimeAmount
    private var received = ByteBuffer()
    private var isEndless = false

    init(pause: TimeAmount) {
        self.pause = pause
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        while let path = takeRequest() { answer(path, context) }
    }

    /// The path of the next request that is whole; nil where more has to come.
    private func takeRequest() -> String? {
        let view = received.readableBytesView
        guard let head = view.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let text = String(decoding: view[..<head.lowerBound], as: UTF8.self)
        var length = 0
        for line in text.split(separator: "\r\n") where line.lowercased().hasPrefix("content-length:") {
            length = Int(line.dropFirst("content-length:".count).trimmingPrefix(" ")) ?? 0
        }
        guard received.writerIndex >= head.upperBound + length else { return nil }
        received.moveReaderIndex(to: head.upperBound + length)
        received.discardReadBytes()
        return text.split(separator: " ").dropFirst().first.map(String.init) ?? "/"
    }

    private func answer(_ path: String, _ context: ChannelHandlerContext) {
        switch path {
        case "/thinks":
            let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: pause) {
                let (handler, context) = loopBound.value
                handler.say(Self.taken, context)
            }
        case "/hangs":
            break
        case "/endless":
            isEndless = true
            say(Self.chunked, context)
            goOn(context)
        case "/redirects":
            say(Self.moved, context)
        default:
            say(Self.taken, context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isEndless, context.channel.isWritable { goOn(context) }
    }

    /// Fills what the socket takes; goes on when it takes more.
    private func goOn(_ context: ChannelHandlerContext) {
        while context.channel.isActive, context.channel.isWritable { say(Self.chunk, context) }
    }

    private func say(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }
}

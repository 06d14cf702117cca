import NIOCore

/// One SMTP connection that takes every mail, after a pause.
///
/// It answers what libcurl says, one command after the other, and nothing more.
final class MailSink: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let pause: TimeAmount
    private var received = ByteBuffer()
    private var isInBody = false

    init(pause: TimeAmount) {
        self.pause = pause
    }

    func channelActive(context: ChannelHandlerContext) {
        say("220 sink", context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        if isInBody { takeBody(context) } else { takeCommands(context) }
    }

    private func takeBody(_ context: ChannelHandlerContext) {
        // Nothing follows the final dot before the reply.
        let isOver = received.readableBytesView.suffix(5).elementsEqual("\r\n.\r\n".utf8)
        guard isOver else {
            received.moveReaderIndex(to: max(received.writerIndex - 5, received.readerIndex))
            received.discardReadBytes()
            return
        }
        isInBody = false
        received.clear()
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: pause) {
            let (handler, context) = loopBound.value
            handler.say("250 taken", context)
        }
    }

    private func takeCommands(_ context: ChannelHandlerContext) {
        while let end = received.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let line = received.readString(length: end - received.readerIndex + 1) ?? ""
            switch line.prefix(4).uppercased() {
            case "DATA":
                isInBody = true
                return say("354 go on", context)
            case "QUIT":
                say("221 bye", context)
                return context.close(promise: nil)
            default:
                say("250 well", context)
            }
        }
        received.discardReadBytes()
    }

    private func say(_ line: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: line + "\r\n")), promise: nil)
    }
}

import ArgumentParser
import Foundation
import NIOCore
import NIOPosix

/// `gatepost-bench sink`: takes mails and notices and forgets them, in a process of its own.
///
/// Beside Postfix's `smtp-sink`, whose pauses are whole seconds, and because one HTTP receiver has to think, hang,
/// never end and redirect.
struct SinkServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sink", abstract: "Take mails and notices for a benchmark.", shouldDisplay: false)

    @Option(help: "How long it thinks before it says that it has taken a mail, or a notice sent to /thinks.")
    var milliseconds = 50

    func run() async throws {
        let pause = TimeAmount.milliseconds(Int64(milliseconds))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        func bind(_ handler: @escaping @Sendable () -> any ChannelHandler) async throws -> Int {
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 1024)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(handler())
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            return channel.localAddress?.port ?? 0
        }
        let (mail, web) = (try await bind { MailSink(pause: pause) }, try await bind { WebSink(pause: pause) })
        FileHandle.standardOutput.write(Data("taking \(mail) \(web)\n".utf8))
        // Until it is asked to stop, as any program.
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}

/// A running sink of our own.
struct Sink: Sendable {
    /// Where it takes mails, and notices.
    let mailPort: Int
    let webPort: Int

    /// The URL of one of `WebSink`'s endpoints.
    func url(_ endpoint: String) -> String { "http://127.0.0.1:\(webPort)/\(endpoint)" }

    /// Runs `body` beside a sink that thinks for so long.
    static func running<Output>(
        thinking milliseconds: Int, _ body: (Sink) async throws -> Output
    ) async throws -> Output {
        let program = try await Program.start(
            Program.sibling("gatepost-bench"), ["sink", "--milliseconds", "\(milliseconds)"])
        let result: Result<Output, any Error>
        do {
            let ports = try await program.line(beginning: "taking ").split(separator: " ").compactMap { Int($0) }
            guard ports.count == 2 else { throw program.failure("said no ports") }
            result = .success(try await body(Sink(mailPort: ports[0], webPort: ports[1])))
        } catch {
            result = .failure(program.hasEnded ? program.failure("ended") : error)
        }
        await program.stop()
        return try result.get()
    }
}

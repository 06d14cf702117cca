import NIOCore
import NIOPosix

/// A small SMTP server on loopback that keeps every mail it is given.
///
/// `gatepost dev` shows these mails on a page; tests use it as the receiving end, and an `SMTPScript` makes it fail
/// at any stage of the dialogue. It relays nothing, and it binds to a loopback address unless told otherwise.
package final class SMTPServer: Sendable {
    /// What the server takes at most.
    package struct Limits: Sendable {
        /// Connections at one time; one more is told 421.
        package var connectionsMax = 256
        /// Bytes of a command line (RFC 5321, section 4.5.3.1.4, asks for 512).
        package var commandBytesMax = 4096
        /// Bytes of a mail; a larger one is told 552 and its connection ends.
        package var mailBytesMax = 16 * 1024 * 1024
        /// Recipients of a mail (RFC 5321, section 4.5.3.1.8, asks for 100).
        package var recipientsMax = 100
        /// Mails kept; the oldest are dropped.
        package var mailsKeptMax = 10_000

        /// The limits as their declarations say.
        package init() {}
    }

    /// What a client must present by `AUTH PLAIN` or `AUTH LOGIN` before `MAIL`.
    package struct Login: Sendable {
        let username: String
        let password: String

        /// Makes the login that the server asks for.
        package init(username: String, password: String) {
            self.username = username
            self.password = password
        }
    }

    struct Mailbox: Sendable {
        var mails: [ReceivedMail] = []
        var receivedCount = 0
        var openConnections = 0
    }

    /// The port it listens on.
    package let port: Int
    /// How it misbehaves.
    package let script: SMTPScript
    let mailbox: Watched<Mailbox>
    private let serving: Task<Void, Never>

    private init(port: Int, script: SMTPScript, mailbox: Watched<Mailbox>, serving: Task<Void, Never>) {
        self.port = port
        self.script = script
        self.mailbox = mailbox
        self.serving = serving
    }

    /// Starts listening; the caller must `stop` it.
    ///
    /// - Parameters:
    ///   - host: The address to bind.
    ///   - port: The port, 0 for one that is free.
    ///   - limits: What it takes at most.
    ///   - login: What clients must present, nil for nothing.
    ///   - script: How it misbehaves; by default it does not.
    /// - Returns: The server, which already listens.
    /// - Throws: What NIO throws if the address cannot be bound.
    package static func start(
        host: String = "127.0.0.1", port: Int = 0, limits: Limits = Limits(), login: Login? = nil,
        script: SMTPScript = SMTPScript()
    ) async throws -> SMTPServer {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let mailbox = Watched(Mailbox())
        let setup = SMTPSession.Setup(limits: limits, login: login, script: script, mailbox: mailbox)
        let serving = Task { await Self.serve(listener, setup) }
        return SMTPServer(
            port: listener.channel.localAddress?.port ?? port, script: script, mailbox: mailbox, serving: serving)
    }

    /// Starts a server, runs `body` with it, and stops it whatever happens.
    @discardableResult
    package static func running<Result>(
        limits: Limits = Limits(), login: Login? = nil, script: SMTPScript = SMTPScript(),
        _ body: (SMTPServer) async throws -> Result
    ) async throws -> Result {
        let server = try await start(limits: limits, login: login, script: script)
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    /// Ends every connection and stops listening; the mails stay readable.
    package func stop() async {
        serving.cancel()
        await serving.value
    }

    /// The mails that are kept, oldest first.
    package func mails() async -> [ReceivedMail] { mailbox.current.mails }

    /// Forgets the mails that are kept; the order goes on counting.
    package func forgetMails() async {
        mailbox.update { $0.mails.removeAll() }
    }

    /// Waits for a mail that satisfies a condition, at once if one is already here.
    ///
    /// - Parameters:
    ///   - bound: How long to wait at most.
    ///   - condition: Asked for each mail, oldest first.
    /// - Returns: The first such mail.
    /// - Throws: `WaitTimedOut` or `CancellationError`.
    package func waitForMail(
        within bound: Duration = .seconds(30), where condition: @escaping @Sendable (ReceivedMail) -> Bool
    ) async throws -> ReceivedMail {
        try await mailbox.wait(within: bound) { $0.mails.first(where: condition) }
    }

    /// Waits until so many mails have been received in all, and returns those that are kept.
    package func waitForMails(count: Int, within bound: Duration = .seconds(30)) async throws -> [ReceivedMail] {
        try await mailbox.wait(within: bound) { $0.receivedCount >= count ? $0.mails : nil }
    }

    private static func serve(
        _ listener: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>, _ setup: SMTPSession.Setup
    ) async {
        // The listener throws only when it is cancelled or its socket dies; either way the serving is over.
        try? await listener.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                var number = 0
                for try await connection in connections {
                    number += 1
                    let connectionNumber = number
                    group.addTask {
                        // A connection that breaks is the client's affair: the others go on.
                        try? await Self.serve(connection, number: connectionNumber, setup)
                    }
                }
            }
        }
    }

    private static func serve(
        _ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, number: Int, _ setup: SMTPSession.Setup
    ) async throws {
        try await connection.executeThenClose { inbound, outbound in
            let isAdmitted = setup.mailbox.update { mailbox in
                mailbox.openConnections += 1
                return mailbox.openConnections <= setup.limits.connectionsMax
            }
            defer { setup.mailbox.update { $0.openConnections -= 1 } }
            guard isAdmitted else {
                return try await outbound.write(ByteBuffer(string: "421 4.3.2 Too many connections\r\n"))
            }
            var session = SMTPSession(
                connection: number, setup: setup, reader: SMTPLineReader(inbound), writer: outbound)
            try await session.run()
        }
    }
}

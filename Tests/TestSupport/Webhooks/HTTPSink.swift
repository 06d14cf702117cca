import GatepostDev
import NIOCore
import NIOPosix

/// A receiver of HTTP requests on loopback that answers as a test says, down to the single byte.
///
/// It is no HTTP server: it reads a head and a body of stated length, and writes what it is told to, so that it can
/// also drip, stall, break off and speak nonsense.
package final class HTTPSink: Sendable {
    /// A request as it came.
    package struct Request: Sendable {
        package let method: String
        package let target: String
        /// Names in lower case.
        package let headers: [(name: String, value: String)]
        package let body: [UInt8]
        /// The connection it came over, from 1.
        package let connection: Int
        /// Its place in the order of arrival, from 1.
        package let order: Int

        /// The first value of that header.
        package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    }

    /// A part of an answer.
    ///
    /// The connection stays open after the last, unless that is `close`.
    package enum Step: Sendable {
        case text(String)
        case bytes([UInt8])
        /// The text again and again, until the client goes away.
        case endless(String, every: Duration = .zero)
        /// Nothing until `release`.
        case stall
        case close
    }

    private struct State: Sendable {
        var requests: [Request] = []
        var connectionCount = 0
        var lostCount = 0
        var releaseCount = 0
    }

    /// The port on 127.0.0.1.
    package let port: Int
    private let state: Watched<State>

    /// `http://127.0.0.1:port` and a path.
    package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// The requests so far.
    package var requests: [Request] { state.current.requests }

    /// How many connections have been made.
    package var connectionCount: Int { state.current.connectionCount }

    /// Waits until so many requests have come.
    @discardableResult
    package func waitForRequests(count: Int, within bound: Duration = .seconds(30)) async throws -> [Request] {
        try await state.wait(within: bound) { $0.requests.count >= count ? $0.requests : nil }
    }

    /// Waits until so many connections were ended by the client or broke.
    package func waitForLostConnections(count: Int, within bound: Duration = .seconds(30)) async throws {
        try await state.wait(within: bound) { $0.lostCount >= count ? () : nil }
    }

    /// Lets every answer go on that stalls, or is about to: its request is on the books, so a test may know of it.
    package func release() {
        state.update { $0.releaseCount += 1 }
    }

    /// A whole answer with a length.
    package static func answer(_ status: Int = 200, headers: [String] = [], _ body: String = "") -> [Step] {
        let lines = ["HTTP/1.1 \(status) Answer", "Content-Length: \(body.utf8.count)"] + headers
        return [.text(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)]
    }

    private init(port: Int, state: Watched<State>) {
        self.port = port
        self.state = state
    }

    /// Starts a sink, runs `body` with it and stops it whatever happens.
    @discardableResult
    package static func running<Result>(
        _ answer: @escaping @Sendable (Request) -> [Step] = { _ in HTTPSink.answer() },
        _ body: (HTTPSink) async throws -> Result
    ) async throws -> Result {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let state = Watched(State())
        let serving = Task {
            // It ends by cancellation.
            try? await listener.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await connection in connections {
                        let number = state.update { state in
                            state.connectionCount += 1
                            return state.connectionCount
                        }
                        group.addTask {
                            // The client's going away is what the answer of some tests waits for.
                            try? await serve(connection, number, state, answer)
                            state.update { $0.lostCount += 1 }
                        }
                    }
                }
            }
        }
        let sink = HTTPSink(port: listener.channel.localAddress?.port ?? 0, state: state)
        do {
            let result = try await body(sink)
            serving.cancel()
            await serving.value
            return result
        } catch {
            serving.cancel()
            await serving.value
            throw error
        }
    }

    private static func serve(
        _ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ number: Int, _ state: Watched<State>,
        _ answer: @Sendable (Request) -> [Step]
    ) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var chunks = inbound.makeAsyncIterator()
            var buffer: [UInt8] = []
            while true {
                var parsed = parse(&buffer)
                while parsed == nil {
                    guard let chunk = try await chunks.next() else { return }
                    buffer += chunk.readableBytesView
                    parsed = parse(&buffer)
                }
                guard let parsed else { return }
                let (request, releasedBefore) = state.update { state in
                    let request = Request(
                        method: parsed.method, target: parsed.target, headers: parsed.headers, body: parsed.body,
                        connection: number, order: state.requests.count + 1)
                    state.requests.append(request)
                    return (request, state.releaseCount)
                }
                var releaseCount = releasedBefore
                for step in answer(request) {
                    guard try await take(step, outbound, state, &releaseCount) else { return }
                }
            }
        }
    }

    /// Takes a step; false if it ends the connection.
    ///
    /// A stall ends with the first release after those that are counted.
    private static func take(
        _ step: Step, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, _ state: Watched<State>,
        _ releaseCount: inout Int
    ) async throws -> Bool {
        switch step {
        case .text(let text):
            try await outbound.write(ByteBuffer(string: text))
        case .bytes(let bytes):
            try await outbound.write(ByteBuffer(bytes: bytes))
        case .endless(let text, let pause):
            while true {
                try await outbound.write(ByteBuffer(string: text))
                if pause > .zero { try await Task.sleep(for: pause) }
            }
        case .stall:
            let count = releaseCount
            releaseCount = try await state.wait(within: .seconds(3600)) { state in
                state.releaseCount > count ? state.releaseCount : nil
            }
        case .close:
            return false
        }
        return true
    }

    /// Takes one whole request off the buffer; nil if more must come.
    private static func parse(
        _ buffer: inout [UInt8]
    ) -> (method: String, target: String, headers: [(name: String, value: String)], body: [UInt8])? {
        guard let end = buffer.indices.first(where: { buffer[$0...].starts(with: Array("\r\n\r\n".utf8)) }) else {
            return nil
        }
        let lines = String(decoding: buffer[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first.map { $0.split(separator: " ").map(String.init) } ?? []
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (
                name: (parts.first ?? "").lowercased(),
                value: String((parts.dropFirst().first ?? "").drop { $0 == " " })
            )
        }
        let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        guard words.count >= 2, buffer.count >= end + 4 + length else { return nil }
        let body = Array(buffer[(end + 4)..<(end + 4 + length)])
        buffer.removeFirst(end + 4 + length)
        return (words[0], words[1], headers, body)
    }
}

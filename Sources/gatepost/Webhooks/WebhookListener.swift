import Foundation
import GatepostClient
import GatepostDelivery
import GatepostHummingbird
import GatepostModel
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// Takes notices on loopback, verifies each and forwards it, until SIGINT or SIGTERM.
actor WebhookListener {
    /// How long whoever takes the notices may need: a little less than Gatepost waits.
    private static let deadline: Duration = .seconds(18)
    /// The most bytes of an answer that are read.
    private static let answerBytesMax = 64 * 1024
    /// The most bytes of a notice that are read.
    private static let noticeBytesMax = 64 * 1024
    /// Headers that belong to one connection, or are written anew (RFC 9110, section 7.6.1).
    private static let ownFields: Set<String> = [
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    private let target: String
    private let port: Int
    private let asJSON: Bool
    private let transport: HTTPTransport
    private let clock = SystemClock()
    private var verifier: WebhookVerifier?

    /// Prepares one.
    init(forwardingTo target: String, port: Int, asJSON: Bool) throws {
        (self.target, self.port, self.asJSON) = (target, port, asJSON)
        let loopback = ["127.0.0.0/8", "::1/128"].compactMap(AddressRange.init)
        transport = try HTTPTransport(guard: AddressGuard(privateAllowed: loopback), allowsPlainHTTP: true)
    }

    /// Names the secret that notices must be signed with.
    func verify(by secret: String) throws {
        verifier = try WebhookVerifier(secrets: [secret])
    }

    /// Listens until it is told to stop.
    ///
    /// - Parameters:
    ///   - secret: What notices are signed with; nil where it is known only once the port is.
    ///   - onListening: Told the port; what it throws ends the listening.
    /// - Throws: What kept it from listening, or what `onListening` threw.
    func run(verifyingBy secret: String?, onListening: @escaping @Sendable (Int) async throws -> Void) async throws {
        if let secret { try verify(by: secret) }
        let router = Router(context: BasicRequestContext.self)
        router.post("**") { request, context in try await self.take(request) }
        router.post("/") { request, context in try await self.take(request) }
        let (opened, opening) = AsyncThrowingStream<Void, any Error>.makeStream()
        let logger = Logger(label: "gatepost.webhooks") { _ in SwiftLogNoOpLogHandler() }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { [port] channel in
                do {
                    try await onListening(channel.localAddress?.port ?? port)
                    opening.finish()
                } catch {
                    opening.finish(throwing: error)
                }
            },
            logger: logger)
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: application)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { [port] in
                do {
                    try await group.run()
                } catch let error as IOError where UnusableAddress.codes.contains(error.errnoCode) {
                    let address = ListenAddress(host: "127.0.0.1", port: port)
                    throw UnusableAddress(address: address, code: error.errnoCode, remedy: "--port")
                }
            }
            tasks.addTask {
                do {
                    for try await _ in opened {}
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
            }
            // The first that fails ends the other.
            while try await tasks.next() != nil {}
        }
    }

    /// Closes the connections to whoever takes the notices.
    func shutdown() async {
        await transport.shutdown()
    }

    private func take(_ request: Request) async throws -> Response {
        let start = clock.uptime
        guard let verifier else { return Response(status: .serviceUnavailable) }
        var request = request
        let (body, notice): (ByteBuffer, WebhookNotice)
        do {
            body = try await request.body.collect(upTo: Self.noticeBytesMax)
            request.body = RequestBody(buffer: body)
            notice = try await request.notice(verifiedBy: verifier)
        } catch let error as any HTTPResponseError {
            let id = request.headers[values: Self.idField].first ?? "-"
            let why = (error as? HTTPError)?.body ?? "the body is too long"
            say(
                Line(
                    type: "-", id: id, status: error.status.code, milliseconds: age(of: start), note: "refused: \(why)")
            )
            throw error
        }
        let headers = request.headers.filter { !Self.ownFields.contains($0.name.canonicalName) }
        let answer = await transport.call(
            "POST", target, headers: headers.map { (name: $0.name.rawName, value: $0.value) },
            body: Array(body.readableBytesView), bytesMax: Self.answerBytesMax, deadline: Self.deadline)
        let (status, note): (Int, String?) =
            switch answer {
            case .answered(let status, _): (status, nil)
            case .failed(let words): (502, "not forwarded: \(words)")
            }
        say(Line(type: notice.type, id: notice.id, status: status, milliseconds: age(of: start), note: note))
        return Response(status: .init(code: status))
    }

    private static let idField = HTTPField.Name("webhook-id") ?? .userAgent

    private func age(of start: Duration) -> Int64 { Int64((clock.uptime - start) / .milliseconds(1)) }

    private struct Line: Encodable {
        let type: String
        let id: String
        let status: Int
        let milliseconds: Int64
        let note: String?
    }

    private func say(_ line: Line) {
        if asJSON { return (try? Terminal.sayJSONLine(line)) ?? () }
        // The id of a notice that is not genuine is a stranger's text.
        let id = JSONValue.string(line.id).text.prefix(100)
        let note = line.note.map { "  \($0)" } ?? ""
        let time = Instant(seconds: clock.unixSeconds).description.dropFirst(11).prefix(8)
        Terminal.say("\(time)  \(line.type)  \(id)  \(line.status)  \(line.milliseconds) ms\(note)")
    }
}

import Curl
@testable import GatepostDelivery
import GatepostModel
import TestSupport
import Testing

/// What the answers of a receiver come to.
@Suite(.timeLimit(.minutes(2)))
struct HTTPTransportTests {
    private func post(
        _ body: [UInt8] = [1, 0, 255], to sink: HTTPSink, deadline: Duration = .seconds(20)
    ) async throws -> AttemptResult {
        let loopback = try #require(AddressRange("127.0.0.0/8"))
        let transport = try HTTPTransport(guard: AddressGuard(privateAllowed: [loopback]), allowsPlainHTTP: true)
        let result = await transport.post(
            body, to: sink.url("/hook"), headers: [.init("Webhook-Id", "msg_1")], now: now, deadline: deadline)
        await transport.shutdown()
        return result
    }

    @Test(arguments: [
        (200, AttemptResult.Outcome.delivered), (201, .delivered), (204, .delivered), (299, .delivered),
        (300, .permanent), (301, .permanent), (302, .permanent), (307, .permanent), (308, .permanent),
        (400, .permanent), (401, .permanent), (404, .permanent), (410, .permanent), (422, .permanent),
        (408, .transient), (425, .transient), (429, .transient), (500, .transient), (503, .transient),
        (599, .transient), (600, .permanent),
    ])
    func `a status has its outcome, and the code is kept`(status: Int, outcome: AttemptResult.Outcome) async throws {
        try await HTTPSink.running({ _ in HTTPSink.answer(status, headers: ["Location: /elsewhere"]) }) { sink in
            let result = try await post(to: sink)
            #expect(result.outcome == outcome && result.code == status && result.reachedNetwork)
            let seen = sink.requests
            #expect(seen.count == 1 && seen.first?.body == [1, 0, 255] && seen.first?.method == "POST")
            #expect(seen.first?.header("webhook-id") == "msg_1")
        }
    }

    @Test(arguments: [
        ("120", Duration.seconds(120)), ("0", .zero), (" 7 ", .seconds(7)), ("99999999999999999999", .seconds(86_400)),
        ("Mon, 23 Nov 2026 09:31:30 GMT", .seconds(90)), ("Mon, 23 Nov 2026 09:29:00 GMT", .zero),
        ("Fri, 31 Dec 2100 00:00:00 GMT", .seconds(86_400)),
    ])
    func `a wait that the receiver asks for is honoured up to a day`(value: String, wait: Duration) async throws {
        try await HTTPSink.running({ _ in HTTPSink.answer(503, headers: ["Retry-After: \(value)"]) }) { sink in
            let result = try await post(to: sink)
            #expect(result.retryAfter == wait)
        }
    }

    @Test(arguments: [
        "", "-1", "1.5", "soon", "+5", "５", "Mon, 23 Nov 2026 09:31:30", "Mon, 23 Nov 2026 09:31:30 CET",
        "Mon, 3 Nov 2026 09:31:30 GMT", "Mon, 23 Foo 2026 09:31:30 GMT", "Mon, 23 Nov 2026 24:31:30 GMT",
        "Mon, 23 Nov 2026 09:31 GMT", "Monday, 23-Nov-26 09:31:30 GMT", "Mon, 00 Nov 2026 09:31:30 GMT",
    ])
    func `a wait that cannot be read is none`(value: String) {
        #expect(RetryAfter.parse(value, now: now) == nil)
    }

    @Test func `a wait is only for what is tried again`() async throws {
        try await HTTPSink.running({ _ in HTTPSink.answer(404, headers: ["Retry-After: 5"]) }) { sink in
            let result = try await post(to: sink)
            #expect(result.retryAfter == nil)
        }
    }

    @Test func `an answer larger than is kept counts by its status, and its words are made harmless`() async throws {
        let text = "line\r\n\u{1b}[31m\u{e9}" + String(repeating: "x", count: 1_000_000)
        try await HTTPSink.running({ _ in HTTPSink.answer(200, text) }) { sink in
            let result = try await post(to: sink)
            #expect(result.outcome == .delivered && result.reply.utf8.count == AttemptResult.replyLengthMax)
            #expect(result.reply.hasPrefix("line???[31m?xxx"))
        }
    }

    @Test func `an answer that never comes is unknown, a receiver that is not there is not`() async throws {
        let port = try await HTTPSink.running({ _ in [.stall] }) { sink in
            let result = try await post(to: sink, deadline: .seconds(2))
            #expect(result.outcome == .indeterminate && result.code == nil)
            return sink.port
        }
        let loopback = try #require(AddressRange("127.0.0.0/8"))
        let transport = try HTTPTransport(guard: AddressGuard(privateAllowed: [loopback]), allowsPlainHTTP: true)
        let result = await transport.post([], to: "http://127.0.0.1:\(port)/", headers: [], now: now)
        #expect(result.outcome == .transient && result.reachedNetwork)
        await transport.shutdown()
        let after = await transport.post([], to: "http://127.0.0.1:\(port)/", headers: [], now: now)
        #expect(after.outcome == .transient && !after.reachedNetwork)
    }

    @Test func `plain http is refused unless it is allowed`() async throws {
        let transport = try HTTPTransport(guard: AddressGuard())
        for url in ["http://example.com/", "HTTP://example.com/", "ftp://example.com/", "https:/example.com", ""] {
            let result = await transport.post([], to: url, headers: [], now: now)
            #expect(result.outcome == .permanent && !result.reachedNetwork, "\(url)")
        }
        await transport.shutdown()
    }
}

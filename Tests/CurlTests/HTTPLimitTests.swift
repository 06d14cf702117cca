import Curl
import TestSupport
import Testing

/// Servers that mean harm, and requests that would do it.
@Suite(.timeLimit(.minutes(2)))
struct HTTPLimitTests {
    private static let chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static let chunk = "8000\r\n" + String(repeating: "x", count: 0x8000) + "\r\n"

    @Test(arguments: [HTTPRequest.Overflow.truncate, .fail])
    func `a chunked answer of 32 MB is cut at the limit`(overflow: HTTPRequest.Overflow) async throws {
        let steps = [HTTPSink.Step.text(Self.chunkedHead)] + Array(repeating: .text(Self.chunk), count: 1000)
        try await HTTPSink.running({ _ in steps }) { sink in
            try await withClient { client in
                var request = HTTPRequest(sink.url())
                request.answerBytesMax = 16_384
                request.overflow = overflow
                switch overflow {
                case .truncate:
                    let response = try await client.send(request)
                    #expect(response.status == 200 && response.body.count == 16_384 && response.isTruncated)
                case .fail:
                    await #expect(throws: CurlError.answerTooLarge) { try await client.send(request) }
                }
            }
            try await sink.waitForLostConnections(count: 1)
        }
    }

    @Test func `an answer of exactly the limit is whole`() async throws {
        try await HTTPSink.running({ _ in HTTPSink.answer(200, "12345") }) { sink in
            try await withClient { client in
                var request = HTTPRequest(sink.url())
                request.answerBytesMax = 5
                let response = try await client.send(request)
                #expect(response.text == "12345" && !response.isTruncated)
            }
        }
    }

    @Test func `headers without end are cut off`() async throws {
        let endless = HTTPSink.Step.endless("X-Padding: \(String(repeating: "y", count: 1000))\r\n")
        try await HTTPSink.running({ _ in [.text("HTTP/1.1 200 OK\r\n"), endless] }) { sink in
            try await withClient { client in
                await #expect(throws: CurlError.headersTooLarge) { try await client.send(HTTPRequest(sink.url())) }
            }
        }
    }

    @Test func `an answer that never ends meets the deadline`() async throws {
        try await HTTPSink.running({ _ in
            [.text(Self.chunkedHead), .endless("1\r\nx\r\n", every: .milliseconds(20))]
        }) { sink in
            try await withClient { client in
                var request = HTTPRequest(sink.url())
                // On a busy machine a short deadline may pass before the request has left; then a longer one is tried.
                for milliseconds in [400, 2_000, 10_000] {
                    request.deadline = .milliseconds(milliseconds)
                    let error = await #expect(throws: CurlError.self) { try await client.send(request) }
                    if error == .failed(.timedOut, wasRequestSent: true) { return }
                    #expect(error == .failed(.timedOut, wasRequestSent: false))
                }
                Issue.record("no request left in time")
            }
        }
    }

    @Test func `an answer of a few bytes a second meets the low-speed limit`() async throws {
        try await HTTPSink.running({ _ in
            [.text(Self.chunkedHead), .endless("1\r\nx\r\n", every: .milliseconds(250))]
        }) { sink in
            try await withClient { client in
                var request = HTTPRequest(sink.url())
                request.deadline = .seconds(600)
                request.lowSpeedBytesPerSecond = 1000
                request.lowSpeedTime = .seconds(1)
                await #expect(throws: CurlError.failed(.timedOut, wasRequestSent: true)) {
                    try await client.send(request)
                }
            }
        }
    }

    @Test func `a server that hangs up or speaks nonsense is an error that says the request was sent`() async throws {
        for (steps, code) in [
            ([HTTPSink.Step.close], CurlCode.nothingReceived),
            ([.text("SSH-2.0-nonsense\r\n"), .close], CurlCode(rawValue: 1)),
            ([.text("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), .close], CurlCode(rawValue: 18)),
        ] {
            try await HTTPSink.running({ _ in steps }) { sink in
                try await withClient { client in
                    await #expect(throws: CurlError.failed(code, wasRequestSent: true)) {
                        try await client.send(HTTPRequest(sink.url()))
                    }
                }
            }
        }
    }

    @Test func `nobody listening is an error that says nothing was sent`() async throws {
        let port = try await HTTPSink.running { $0.port }
        try await withClient { client in
            await #expect(throws: CurlError.failed(.couldNotConnect, wasRequestSent: false)) {
                try await client.send(HTTPRequest("http://127.0.0.1:\(port)/"))
            }
        }
    }

    @Test func `cancelling the task closes the connection at once`() async throws {
        try await HTTPSink.running({ _ in [.stall] }) { sink in
            try await withClient { client in
                let exchange = Task { try await client.send(HTTPRequest(sink.url())) }
                try await sink.waitForRequests(count: 1)
                exchange.cancel()
                await #expect(throws: CurlError.cancelled) { try await exchange.value }
            }
        }
    }

    @Test func `more requests than the limit, and requests after shutdown, are refused`() async throws {
        try await HTTPSink.running({ _ in [.stall] + HTTPSink.answer() }) { sink in
            var settings = HTTPClient.Settings { _ in true }
            settings.requestsMax = 1
            let client = try HTTPClient(settings)
            async let first = client.send(HTTPRequest(sink.url())).status
            try await sink.waitForRequests(count: 1)
            await #expect(throws: CurlError.overloaded) { try await client.send(HTTPRequest(sink.url())) }
            async let ended: Void = client.shutdown()
            sink.release()
            #expect(try await first == 200)
            await ended
            await #expect(throws: CurlError.shutDown) { try await client.send(HTTPRequest(sink.url())) }
        }
    }

    @Test(arguments: [
        "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "smtp://127.0.0.1/", "dict://127.0.0.1/",
        "//127.0.0.1/", "127.0.0.1", "", "http://", "http:///x y", "http://127.0.0.1/\r\nX: y", "http://127.0.0.1/\0",
        "http://①②⑦.⓪.⓪.①/", "http://127.0.0.1/é", "javascript:alert(1)", " http://127.0.0.1/",
    ])
    func `a URL that is not plain http or https is refused before anything is dialled`(url: String) async throws {
        try await withClient { client in
            await #expect(throws: CurlError.invalidRequest(.url)) { try await client.send(HTTPRequest(url)) }
        }
    }

    @Test func `a user name in a URL is refused`() async throws {
        try await HTTPSink.running { sink in
            try await withClient { client in
                _ = await #expect(throws: CurlError.self) {
                    try await client.send(HTTPRequest("http://user:word@127.0.0.1:\(sink.port)/"))
                }
            }
            #expect(sink.connectionCount == 0)
        }
    }

    @Test(arguments: [
        ("X-A", "b\r\nX-Evil: 1", InvalidRequest.headerValue), ("X-A", "b\nc", .headerValue),
        ("X-A", "b\0", .headerValue), ("X-A", "\u{7f}", .headerValue),
        ("X A", "b", .headerName), ("X-A:", "b", .headerName), ("", "b", .headerName),
        ("X\r\nY", "b", .headerName), ("é", "b", .headerName), ("Content-Length", "0", .headerName),
        ("transfer-encoding", "chunked", .headerName),
    ])
    func `a header that could be two, or frames the message, is refused`(
        name: String, value: String, flaw: InvalidRequest
    ) async throws {
        try await withClient { client in
            let request = HTTPRequest("GET", "http://127.0.0.1:9/", headers: [.init(name, value)])
            await #expect(throws: CurlError.invalidRequest(flaw)) { try await client.send(request) }
        }
    }

    @Test(arguments: ["", "GET / HTTP/1.1\r\nX: y", "GE T", "É"])
    func `a method that is not a token is refused`(method: String) async throws {
        try await withClient { client in
            await #expect(throws: CurlError.invalidRequest(.method)) {
                try await client.send(HTTPRequest(method, "http://127.0.0.1:9/"))
            }
        }
    }
}

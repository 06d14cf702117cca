import Curl
import Synchronization
import TestSupport
import Testing

/// What goes over the wire and what comes back, when nothing is wrong.
@Suite(.timeLimit(.minutes(2)))
struct HTTPClientTests {
    @Test(arguments: ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    func `method, headers and body arrive as they were given, and nothing is added`(method: String) async throws {
        try await HTTPSink.running { sink in
            let body = method == "GET" ? nil : Array("{\"a\":\"\u{e9}\"}".utf8)
            var request = HTTPRequest(method, sink.url("/a/../b?c=%20"), body: body)
            request.headers = [.init("X-One", "1"), .init("X-Two", "a b\tc"), .init("X-One", "2"), .init("X-None", "")]
            let response = try await withClient { client in try await client.send(request) }
            #expect(response.status == 200)
            let seen = try #require(sink.requests.first)
            #expect(seen.method == method && seen.target == "/a/../b?c=%20" && seen.body == body ?? [])
            #expect(seen.headers.filter { $0.name == "x-one" }.map(\.value) == ["1", "2"])
            #expect(seen.header("x-two") == "a b\tc" && seen.header("x-none") == "")
            #expect(seen.header("expect") == nil && seen.header("content-type") == nil)
        }
    }

    @Test func `an empty body differs from none, and a large one is not announced by Expect`() async throws {
        try await HTTPSink.running { sink in
            try await withClient { client in
                _ = try await client.send(HTTPRequest("POST", sink.url(), body: []))
                _ = try await client.send(HTTPRequest("POST", sink.url()))
                let large = [UInt8](repeating: 1, count: 2_000_000)
                _ = try await client.send(HTTPRequest("POST", sink.url(), body: large))
            }
            #expect(sink.requests.map { $0.header("content-length") } == ["0", nil, "2000000"])
            #expect(sink.requests.allSatisfy { $0.header("expect") == nil })
        }
    }

    @Test func `status, headers in order, repeated cookies and body come back; 1xx and trailers do not`() async throws {
        let answer = """
            HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 404 Nothing\r\nSet-Cookie: a=1; Path=/\r\n\
            set-cookie: b=2\r\nRetry-After:  7\r\nTransfer-Encoding: chunked\r\nTrailer: Retry-After\r\n\r\n\
            5\r\nhello\r\n0\r\nRetry-After: 9999\r\n\r\n
            """
        try await HTTPSink.running({ _ in [.text(answer)] }) { sink in
            let response = try await withClient { try await $0.send(HTTPRequest(sink.url())) }
            #expect(response.status == 404 && response.text == "hello" && !response.isTruncated)
            #expect(response.headers(named: "Set-Cookie") == ["a=1; Path=/", "b=2"])
            #expect(response.headers(named: "Retry-After") == ["7"] && response.header("Link") == nil)
        }
    }

    @Test func `a HEAD request does not wait for a body`() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
        try await HTTPSink.running({ _ in [.text(head)] }) { sink in
            let response = try await withClient { try await $0.send(HTTPRequest("HEAD", sink.url())) }
            #expect(response.status == 200 && response.body.isEmpty)
        }
    }

    @Test func `one connection serves many requests, and cookies are not sent back`() async throws {
        try await HTTPSink.running({ _ in HTTPSink.answer(headers: ["Set-Cookie: a=1"], "x") }) { sink in
            try await withClient { client in
                for _ in 0..<5 { _ = try await client.send(HTTPRequest(sink.url())) }
            }
            #expect(sink.connectionCount == 1 && sink.requests.count == 5)
            #expect(sink.requests.allSatisfy { $0.header("cookie") == nil })
        }
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `a redirect is an answer, not an instruction`(status: Int) async throws {
        try await HTTPSink.running({ request in
            HTTPSink.answer(status, headers: ["Location: /next"], "moved")
        }) { sink in
            let response = try await withClient { try await $0.send(HTTPRequest("POST", sink.url(), body: [1])) }
            #expect(response.status == status && response.header("location") == "/next")
            #expect(sink.requests.count == 1)
        }
    }

    @Test func `two hundred slow exchanges wait side by side`() async throws {
        try await HTTPSink.running({ _ in [.stall] + HTTPSink.answer() }) { sink in
            var settings = HTTPClient.Settings { _ in true }
            settings.hostConnectionsMax = 200
            let client = try HTTPClient(settings)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        var request = HTTPRequest(sink.url())
                        request.deadline = .seconds(60)
                        request.lowSpeedTime = .seconds(60)
                        return try await client.send(request).status
                    }
                }
                try await sink.waitForRequests(count: 200)
                sink.release()
                for try await status in group { #expect(status == 200) }
            }
            await client.shutdown()
        }
    }

    @Test func `the address that is dialled is asked about, once for a connection`() async throws {
        let asked = Asked()
        try await HTTPSink.running { sink in
            let client = try HTTPClient(
                .init { address in
                    asked.addresses.withLock { $0.append(address) }
                    return true
                })
            _ = try await client.send(HTTPRequest(sink.url()))
            _ = try await client.send(HTTPRequest(sink.url()))
            await client.shutdown()
            let expected = SocketAddress(family: .ipv4, bytes: [127, 0, 0, 1], port: UInt16(sink.port))
            #expect(asked.addresses.withLock { $0 } == [expected])
        }
    }

    private final class Asked: Sendable {
        let addresses = Mutex<[SocketAddress]>([])
    }
}

@discardableResult
func withClient<Result>(
    caBundlePath: String? = nil, _ body: (HTTPClient) async throws -> Result
) async throws -> Result {
    let client = try HTTPClient(.init(caBundlePath: caBundlePath) { _ in true })
    do {
        let result = try await body(client)
        await client.shutdown()
        return result
    } catch {
        await client.shutdown()
        throw error
    }
}

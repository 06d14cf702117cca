import Curl
import GatepostDelivery
import GatepostModel
import TestSupport
import Testing

/// What a server that knows leaked passwords may answer, and what comes of anything else.
@Suite("A server of leaked passwords", .timeLimit(.minutes(2)))
struct PasswordRangeServerTests {
    private static let known = "0018A45C4D1DEF81644B54AB7F969B88D65"
    private static let padding = "00D4F6E8FA6EECAD2A3AA415EEC418D38EC"

    /// Asks a server that answers so.
    private func ask(
        _ prefix: String = "21BD1", deadline: Duration = .seconds(20), allowed: String = "127.0.0.0/8",
        _ answer: @escaping @Sendable (HTTPSink.Request) -> [HTTPSink.Step]
    ) async throws -> (answer: PasswordRangeServer.Answer, requests: [HTTPSink.Request]) {
        try await HTTPSink.running(answer) { sink in
            let range = try #require(AddressRange(allowed))
            let transport = try HTTPTransport(guard: AddressGuard(privateAllowed: [range]), allowsPlainHTTP: true)
            let server = PasswordRangeServer(url: sink.url("/range"), through: transport)
            let answer = await server.counts(beginning: prefix, deadline: deadline)
            await transport.shutdown()
            return (answer, sink.requests)
        }
    }

    private func isFailure(_ answer: PasswordRangeServer.Answer, saying words: String) -> Bool {
        if case .failed(let why) = answer { why.contains(words) } else { false }
    }

    @Test func `five digits go out, in a request for a padded answer, and nothing else`() async throws {
        let (answer, requests) = try await ask { _ in
            HTTPSink.answer(200, "\(Self.known):12\r\n\(Self.padding):0\r\n")
        }
        #expect(answer == .counts([Self.known: 12, Self.padding: 0]))
        let request = try #require(requests.first)
        #expect(requests.count == 1 && request.method == "GET" && request.target == "/range/21BD1")
        #expect(request.header("add-padding") == "true" && request.body.isEmpty)
    }

    @Test(arguments: ["21bd", "21BD12", "21BDX", "../..", "", "21B/1"])
    func `what is no range is not asked for`(prefix: String) async throws {
        let (answer, requests) = try await ask(prefix) { _ in HTTPSink.answer() }
        #expect(isFailure(answer, saying: "not a range") && requests.isEmpty)
    }

    @Test func `digits in lower case and bare line feeds are taken, and no hash at all is an answer`() async throws {
        #expect(
            try await ask { _ in HTTPSink.answer(200, "\(Self.known.lowercased()):12\n\(Self.padding):1") }.answer
                == .counts([Self.known: 12, Self.padding: 1]))
        #expect(try await ask { _ in HTTPSink.answer(200, "") }.answer == .counts([:]))
    }

    @Test(arguments: [
        "<html>", "{}", "\(known)", "\(known):", "\(known):x", "\(known):-1", "\(known):1:2", "\(known.dropLast()):1",
        "\(known)0:1", "G\(known.dropFirst()):1", "\(known):9999999999999999999", "\(known): 1", "\(known):1\r\nx",
        "\(known):12\r\n<html>",
    ])
    func `an answer with a line that is no hash is none, whatever else it says`(body: String) async throws {
        #expect(isFailure(try await ask { _ in HTTPSink.answer(200, body) }.answer, saying: "no list of hashes"))
    }

    @Test(arguments: [204, 400, 404, 429, 500, 503])
    func `another status is no answer`(status: Int) async throws {
        let answer = try await ask { _ in HTTPSink.answer(status, "\(Self.known):12") }.answer
        #expect(isFailure(answer, saying: "\(status)"))
    }

    @Test(arguments: [301, 302, 307, 308])
    func `a redirect is not followed`(status: Int) async throws {
        let (answer, requests) = try await ask { _ in
            HTTPSink.answer(status, headers: ["Location: /elsewhere"], "\(Self.known):12")
        }
        #expect(isFailure(answer, saying: "\(status)") && requests.count == 1)
    }

    @Test func `a body without end is not read to its end`() async throws {
        let answer = try await ask { _ in
            [
                .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                .endless("27\r\n\(Self.known):1\r\n\r\n"),
            ]
        }.answer
        #expect(isFailure(answer, saying: "too large"))
    }

    @Test func `a slow answer is given up, also one of which a byte comes now and then`() async throws {
        for rest in [HTTPSink.Step.stall, .endless("0", every: .milliseconds(50))] {
            let answer = try await ask(deadline: PasswordRangeServer.deadline) { _ in
                [.text("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"), rest]
            }.answer
            #expect(isFailure(answer, saying: ""))
        }
    }

    @Test func `an answer that breaks off is none, although its lines so far are whole`() async throws {
        let answer = try await ask { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n\(Self.known):1\r\n"), .close]
        }.answer
        #expect(isFailure(answer, saying: ""))
    }

    @Test func `an address that is not public is not dialled unless its network is named`() async throws {
        let (answer, requests) = try await ask(allowed: "10.0.0.0/8") { _ in HTTPSink.answer(200, "") }
        #expect(isFailure(answer, saying: "not public") && requests.isEmpty)
    }
}

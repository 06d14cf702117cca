import Foundation
import GatepostDelivery
import GatepostModel
import TestSupport
import Testing

/// Notices to a receiver over TLS that is right and TLS that is wrong.
@Suite(.timeLimit(.minutes(2)))
struct OutsideReceiverTests {
    /// Writes its authority's certificate where it is told, prints its port, then a line for each request.
    private static let server = """
        import http.server, ssl, sys, trustme
        name, path = sys.argv[1:]
        authority = trustme.CA()
        authority.cert_pem.write_to_path(path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                print(body.decode(), flush=True)
                self.send_response(200)
                self.end_headers()
            def log_message(self, *arguments): pass
        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, address): pass
        server = Server(("127.0.0.1", 0), Receiver)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_port, flush=True)
        server.serve_forever()
        """

    private func post(
        to name: String, isTrusted: Bool, scheme: String = "https"
    ) async throws -> (result: AttemptResult, lines: [String]) {
        let certificate = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).pem").path
        defer { try? FileManager.default.removeItem(atPath: certificate) }
        let program = try await OutsideProgram(OutsideProgram.python, ["-c", Self.server, name, certificate])
        let port = try await program.lines(count: 1)[0]
        let loopback = try #require(AddressRange("127.0.0.0/8"))
        let transport = try HTTPTransport(
            guard: AddressGuard(privateAllowed: [loopback]), caBundlePath: isTrusted ? certificate : nil,
            allowsPlainHTTP: true)
        let result = await transport.post(
            Array("told".utf8), to: "\(scheme)://localhost:\(port)/", headers: [], now: now)
        await transport.shutdown()
        // The answer may be here before the program's words are.
        let lines = try await program.lines(count: result.outcome == .delivered ? 2 : 1)
        await program.stop()
        return (result, Array(lines.dropFirst()))
    }

    @Test func `a receiver whose certificate is right gets the notice`() async throws {
        let (result, lines) = try await post(to: "localhost", isTrusted: true)
        #expect(result.outcome == .delivered && lines == ["told"], "\(result)")
    }

    @Test(arguments: [
        ("hooks.example.com", true, "https"), ("localhost", false, "https"), ("localhost", true, "http"),
    ])
    func `a wrong name, an unknown authority or no TLS at all: nothing is told`(
        name: String, isTrusted: Bool, scheme: String
    ) async throws {
        let (result, lines) = try await post(to: name, isTrusted: isTrusted, scheme: scheme)
        #expect(result.outcome != .delivered && lines.isEmpty, "\(result)")
    }
}

import Foundation
import Testing

/// A running `gatepost dev`, and what it says when it is up.
struct DevServer: Sendable {
    let program: Program
    let baseURL: String
    let app: String
    let client: String
    let admin: String

    /// Runs it on a new folder and a free port for as long as the body takes.
    static func running(_ body: (DevServer) async throws -> Void) async throws {
        try await Turnstile.shared.passing {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-\(UUID().uuidString)")
            let program = try await Program(
                ["dev", "--port", "\(try await Installation.freePort())", "--data", folder.path], environment: [:])
            let result: Result<Void, any Error>
            do { result = .success(try await body(try await DevServer(program))) } catch { result = .failure(error) }
            try await program.terminate()
            try FileManager.default.removeItem(at: folder)
            try result.get()
        }
    }

    private init(_ program: Program) async throws {
        self.program = program
        app = try await program.line(beginning: "  demo app     ")
        client = try await program.line(beginning: "  its client   ")
        admin = try await program.line(beginning: "  admin key    ")
        let up = try await program.line(beginning: "Gatepost is up at ")
        baseURL = String(try #require(up.split(separator: " ").first))
    }
}

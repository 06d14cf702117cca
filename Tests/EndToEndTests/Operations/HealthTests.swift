import Curl
import GatepostDev
import GatepostModel
import Synchronization
import TestSupport
import Testing

/// What a balancer hears from the real program.
@Suite("Health", .timeLimit(.minutes(20)))
struct HealthTests {
    @Test func `a worker that shuts down says so until its last mail is through`() async throws {
        let script = SMTPScript { $0.stage == .data ? .stall : .proceed }
        try await Installation.running(script: script) { installation in
            try await installation.serve()
            let worker = try await installation.work()
            let app = try await installation.makeApp()
            #expect(try await installation.readiness(of: worker).status == 200)
            _ = try await app.signUp("ada@example.com")
            try await installation.relay.script.reached(.data, count: 1)

            async let end = worker.terminate()
            let refused = try await eventually("it is not ready any more") {
                let answer = try await installation.readiness(of: worker)
                return answer.status == 503 ? answer : nil
            }
            #expect(refused.problem == .unavailable && refused.text.contains("shutting down"), "\(refused.text)")
            let operations = try await installation.operations(of: worker)
            #expect(try await installation.send("GET", operations + "/health/live").status == 200)
            #expect(try await installation.send("GET", operations + "/metrics").status == 200)

            installation.relay.script.release()
            #expect(try await end == .done)
            #expect(await installation.relay.mails().count == 1)
        }
    }

    @Test func `a schema that is older than the program is not ready, and says what to do`() async throws {
        try await Installation.running { installation in
            let server = try await installation.serve()
            try await installation.texts(
                "delete from schema_migrations where number = (select max(number) from schema_migrations)")
            let refused = try await eventually("it is not ready") {
                let answer = try await installation.readiness(of: server)
                return answer.status == 503 ? answer : nil
            }
            #expect(refused.text.contains("gatepost migrate"), "\(refused.text)")
            #expect(try await installation.send("GET", "/health/ready").status == 503)
            #expect(try await installation.send("GET", "/health/live").status == 200)
        }
    }
}

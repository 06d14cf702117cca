import Curl
import Foundation
import GatepostDev
import GatepostModel
import Synchronization
import TestSupport
import Testing

/// Postgres goes away and comes back while people sign up.
@Suite("Postgres restarts", .timeLimit(.minutes(20)))
struct PostgresRestartTests {
    /// What came of the sign-ups of one run.
    private struct Tally: Sendable {
        /// The flows that were promised, by the address.
        var acknowledged: [String: String] = [:]
        var refusals: [String] = []
        var slowest: Duration = .zero
        var isOver = false
    }

    @Test func `no acknowledged sign-up is lost, failures are plain, and nobody has to be restarted`() async throws {
        let folder = "/tmp/gatepost-e2e-\(UUID().uuidString.prefix(8))"
        let postgres = try await LocalPostgres.start(folder: folder, settings: ["jit": "off"], durability: .durable)
        let result: Result<Void, any Error>
        do { result = .success(try await restart(Cluster(postgres))) } catch { result = .failure(error) }
        await postgres.stop()
        try FileManager.default.removeItem(atPath: folder)
        try result.get()
    }

    private func restart(_ cluster: Cluster) async throws {
        try await Installation.running(on: cluster) { installation in
            let server = try await installation.serve()
            let worker = try await installation.work()
            let app = try await installation.makeApp()
            let tally = Watched(Tally())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for person in 1...4 { group.addTask { try await signUpAgainAndAgain(person, in: app, tally) } }
                for mode in [LocalPostgres.StopMode.fast, .immediate] {
                    // Some before each restart, and some after it: the server has recovered by itself.
                    try await moreAreAcknowledged(8, tally)
                    try await cluster.postgres.restart(mode: mode)
                    try await moreAreAcknowledged(8, tally)
                }
                // The pool waits for a server that comes back: on a fast machine a restart may go by unnoticed.
                for _ in 0..<15 where tally.current.refusals.isEmpty {
                    try await cluster.postgres.restart(mode: .immediate)
                    try await moreAreAcknowledged(4, tally)
                }
                tally.update { $0.isOver = true }
                try await group.waitForAll()
            }
            let final = tally.current
            #expect(!server.hasEnded && !worker.hasEnded)
            #expect(!final.refusals.isEmpty, "no request noticed a restart")
            let otherRefusals = final.refusals.filter { $0 != "503 unavailable" }
            #expect(otherRefusals.isEmpty)
            #expect(final.slowest < .seconds(15), "a request hung for \(final.slowest)")
            try await expectKept(final.acknowledged, in: app)
        }
    }

    /// Each address signs up once, so no limit is met.
    private func signUpAgainAndAgain(_ person: Int, in app: App, _ tally: Watched<Tally>) async throws {
        var number = 0
        while !tally.current.isOver, number < 5000 {
            number += 1
            let email = "person\(person).\(number)@example.com"
            let clock = ContinuousClock()
            let begin = clock.now
            let answer = try await app.trySignUp(email)
            let time = clock.now - begin
            tally.update { tally in
                tally.slowest = max(tally.slowest, time)
                if answer.status == 202 {
                    tally.acknowledged[email] = answer.field("flow") ?? ""
                } else {
                    tally.refusals.append("\(answer.status) \(answer.problem?.rawValue ?? answer.text)")
                }
            }
        }
    }

    private func moreAreAcknowledged(_ count: Int, _ tally: Watched<Tally>) async throws {
        let before = tally.current.acknowledged.count
        try await tally.wait(within: .seconds(60)) { $0.acknowledged.count >= before + count ? () : nil }
    }

    /// Each flow that was promised is there, and its mail has come.
    private func expectKept(_ acknowledged: [String: String], in app: App) async throws {
        try await app.installation.waitUntilNothingIsOwed(within: .seconds(120))
        let kept = Set(try await app.installation.texts("select replace(id::text, '-', '') from flows"))
        let promised = acknowledged.values.map { hex(FlowID($0)?.uuid.bytes) }
        let lost = promised.filter { !kept.contains($0) }
        #expect(lost.isEmpty, "\(lost.count) of \(promised.count) acknowledged sign-ups are gone")

        let copies = Dictionary(grouping: await app.installation.relay.mails(), by: { $0.recipients.first ?? "" })
        let missing = acknowledged.keys.filter { copies[$0] == nil }
        #expect(missing.isEmpty, "\(missing.count) mails never came")
        // A settlement that was lost with the server is a mail that is repeated, byte for byte.
        let different = copies.values.filter { mails in Set(mails.map(\.bytes)).count > 1 }
        #expect(different.isEmpty)
        let entries = try await app.installation.texts("select count(*) || ' ' || count(distinct id) from deliveries")
        let counts = try #require(entries.first?.split(separator: " "))
        #expect(counts.first == counts.last)
    }
}

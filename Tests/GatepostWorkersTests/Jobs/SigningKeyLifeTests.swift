import GatepostModel
import GatepostStore
import GatepostWorkers
import Postgres
import TestSupport
import Testing

/// The three jobs of a signing key together, over days that pass by assignment.
@Suite("Life of a signing key", .ownDatabase)
struct SigningKeyLifeTests {
    /// The longest life of a token, the tolerance of clocks, and how long a server remembers the key it signs with.
    private let tokenLife = Duration.hours(1) + Lifetimes.clockTolerance + .seconds(5)

    @Test func `no key is missing while a token of it may live, and none signs before its notice`() async throws {
        try await JobFixture.with { fixture in
            let app = try await fixture.makeApp(settings: #"{"signing_key_seconds": 86400}"#)
            let start = fixture.clock.now
            let first = try await fixture.makeKey(
                of: app, "active", createdAt: start - .hours(7), activatedAt: start - .hours(6))
            var publishedSince: [SigningKeyID: Instant] = [first: start - .hours(7)]
            var signedUntil: [SigningKeyID: Instant] = [:]
            let jobs = try JobCatalog().jobs.filter { $0.name.contains("key") }

            while let now = jobs.compactMap({ $0.schedule.next(after: fixture.clock.now) }).min(),
                now < start + .days(3)
            {
                fixture.clock.set(now)
                for job in jobs where job.schedule.matches(now) {
                    guard case .finished = await fixture.runner.run(job, dueAt: now) else {
                        Issue.record("\(job.name) did not run at \(now)")
                        continue
                    }
                }
                try await makeOwedKeys(of: app, in: fixture)

                let published = Set(
                    try await fixture.execute("select id from signing_keys where app_id = \(app.id)")
                        .map { row throws(PostgresError) in try row.get("id", as: SigningKeyID.self) })
                let active = try #require(try await fixture.keys(of: app, "active").first, "no active key at \(now)")
                for key in published where publishedSince[key] == nil { publishedSince[key] = now }
                let notice = try #require(publishedSince[active]) + Lifetimes.signingKeyNotice
                #expect(notice <= now, "the key signs too early at \(now)")
                signedUntil[active] = now
                for (key, last) in signedUntil where last + tokenLife >= now {
                    #expect(published.contains(key), "a token may live whose key is gone at \(now)")
                }
            }

            // In the first and the third night the key had its age; both that were replaced are gone by now.
            #expect(signedUntil.count == 3)
            #expect(try await fixture.keys(of: app, "retired").isEmpty)
            #expect(try await fixture.keys(of: app, "active") != [first])
            let events = try await fixture.events(of: app)
            #expect(events.count { $0.hasPrefix("signing_key.activated") } == 2)
            #expect(events.count { $0.hasPrefix("signing_key.retired") } == 2)
            #expect(events.count { $0.hasPrefix("signing_key.deleted") } == 2)
        }
    }

    /// What the worker does with the message: the next key is made, the message is gone.
    private func makeOwedKeys(of app: JobFixture.App, in fixture: JobFixture) async throws {
        let owed = try await fixture.execute(
            "delete from outbox where app_id = \(app.id) and kind = 'signing_key.rotate' returning id")
        guard !owed.isEmpty else { return }
        try await fixture.makeKey(of: app, "next", createdAt: fixture.clock.now)
    }
}

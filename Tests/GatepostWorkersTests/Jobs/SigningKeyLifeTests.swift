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
            var first: [SigningKeyID] = []
            for algorithm in SigningAlgorithm.allCases {
                first.append(
                    try await fixture.makeKey(
                        of: app, "active", algorithm: algorithm, createdAt: start - .hours(7),
                        activatedAt: start - .hours(6)))
            }
            var publishedSince = Dictionary(uniqueKeysWithValues: first.map { ($0, start - .hours(7)) })
            var signedUntil: [SigningKeyID: Instant] = [:]

            while let now = try await runNextJobs(before: start + .days(3), in: fixture) {
                try await makeOwedKeys(of: app, in: fixture)
                let published = Set(
                    try await fixture.execute("select id from signing_keys where app_id = \(app.id)")
                        .map { row throws(PostgresError) in try row.get("id", as: SigningKeyID.self) })
                for key in published where publishedSince[key] == nil { publishedSince[key] = now }
                for algorithm in SigningAlgorithm.allCases {
                    let active = try #require(
                        try await fixture.keys(of: app, "active", algorithm: algorithm).first,
                        "no active key for \(algorithm) at \(now)")
                    let notice = try #require(publishedSince[active]) + Lifetimes.signingKeyNotice
                    #expect(notice <= now, "the key for \(algorithm) signs too early at \(now)")
                    signedUntil[active] = now
                }
                for (key, last) in signedUntil where last + tokenLife >= now {
                    #expect(published.contains(key), "a token may live whose key is gone at \(now)")
                }
            }

            // In the first and the third night the keys had their age; those that were replaced are gone by now.
            #expect(signedUntil.count == 6)
            for algorithm in SigningAlgorithm.allCases {
                #expect(try await fixture.keys(of: app, "retired", algorithm: algorithm).isEmpty)
                let active = try await fixture.keys(of: app, "active", algorithm: algorithm)
                #expect(active.count == 1 && !first.contains(active[0]))
            }
            let events = try await fixture.events(of: app)
            for kind in ["activated", "retired", "deleted"] {
                #expect(events.count { $0.hasPrefix("signing_key.\(kind)") } == 4, "\(kind)")
            }
        }
    }

    /// Lets time go on to the next moment at which one of the jobs is due, and runs those that are.
    private func runNextJobs(before end: Instant, in fixture: JobFixture) async throws -> Instant? {
        let jobs = try JobCatalog().jobs.filter { $0.name.contains("key") }
        guard let now = jobs.compactMap({ $0.schedule.next(after: fixture.clock.now) }).min(), now < end else {
            return nil
        }
        fixture.clock.set(now)
        for job in jobs where job.schedule.matches(now) {
            guard case .finished = await fixture.runner.run(job, dueAt: now) else {
                Issue.record("\(job.name) did not run at \(now)")
                continue
            }
        }
        return now
    }

    /// What the worker does with the messages: the next key of the algorithm that each names is made, they are gone.
    private func makeOwedKeys(of app: JobFixture.App, in fixture: JobFixture) async throws {
        let owed = try await fixture.texts(
            """
            delete from outbox where app_id = \(app.id) and kind = 'signing_key.rotate'
            returning payload ->> 'algorithm' as text
            """)
        for name in owed {
            let algorithm = try #require(SigningAlgorithm(rawValue: name))
            try await fixture.makeKey(of: app, "next", algorithm: algorithm, createdAt: fixture.clock.now)
        }
    }
}

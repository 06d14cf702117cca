import Foundation
import GatepostModel
import GatepostWorkers
import Testing

@Suite("List of jobs")
struct JobListTests {
    @Test func `every job has a test of its own name`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path(percentEncoded: false))
        let files = Set(paths.map { URL(filePath: $0).lastPathComponent })
        let jobs = try JobCatalog().jobs
        #expect(jobs.count >= 16)
        for job in jobs {
            let name = job.name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
            #expect(files.contains("\(name)Tests.swift"), "no test for jobs/\(job.name).sql")
        }
    }

    @Test func `the notice of a signing key is the one that the code states`() throws {
        let job = try #require(try JobCatalog()["activate-signing-keys"])

        #expect(job.parameters["notice"] == "1 hour")
        #expect(Lifetimes.signingKeyNotice == .hours(1))
    }

    @Test func `history is kept for as long as the code states, within the bounds of an app's own setting`() throws {
        let days = [
            ("delete-past-deliveries", Lifetimes.deliveryHistory), ("delete-past-attempts", Lifetimes.deliveryHistory),
            ("delete-past-audit-events", Lifetimes.auditHistory),
        ]
        for (name, life) in days {
            let job = try #require(try JobCatalog()[name])
            #expect(job.parameters["retention"] == "\(life.wholeSeconds / 86400) days")
        }
        var settings = AppSettings()
        (settings.deliveryHistorySeconds, settings.auditHistorySeconds) = (86400, 30 * 86400)
        #expect(settings.fieldOutOfBounds == nil)
        settings.deliveryHistorySeconds = 90 * 86400 + 1
        #expect(settings.fieldOutOfBounds == "delivery_history_seconds")
        (settings.deliveryHistorySeconds, settings.auditHistorySeconds) = (nil, 30 * 86400 - 1)
        #expect(settings.fieldOutOfBounds == "audit_history_seconds")
    }

    @Test func `a retired signing key outlives the longest token by half an hour at least`() throws {
        let job = try #require(try JobCatalog()["delete-retired-signing-keys"])
        var longest = AppSettings()
        longest.accessTokenSeconds = 3600

        #expect(longest.fieldOutOfBounds == nil)
        longest.accessTokenSeconds = 3601
        #expect(longest.fieldOutOfBounds == "access_token_seconds")
        #expect(job.parameters["retention"] == "2 hours")
        #expect(.hours(2) >= .seconds(3600) + Lifetimes.clockTolerance + .minutes(30))
    }
}

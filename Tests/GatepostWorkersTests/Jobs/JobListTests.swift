import Foundation
import GatepostModel
import GatepostWorkers
import Testing

@Suite("List of jobs")
struct JobListTests {
    @Test func `every job has a test of its own name`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let files = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)))
        let jobs = try JobCatalog().jobs
        #expect(jobs.count >= 6)
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

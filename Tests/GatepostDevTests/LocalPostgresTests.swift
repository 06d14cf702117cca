import Foundation
import GatepostDev
import Testing

/// The private server: made, reached, restarted, and gone with its owner.
@Suite(.timeLimit(.minutes(5)))
struct LocalPostgresTests {
    @Test func `a temporary server takes scripts and databases, and leaves nothing behind`() async throws {
        let server = try await LocalPostgres.temporary(settings: ["work_mem": "5MB"])
        try await server.runScript("create table pets (name text)", database: "postgres")
        try await server.createDatabase("a \"quoted\" name", template: "template1")
        #expect(try await server.runScript("show work_mem", database: "a \"quoted\" name") == "5MB\n")
        try await server.dropDatabase("a \"quoted\" name")
        #expect(try await server.runScript("show fsync", database: "postgres") == "off\n")
        await #expect(throws: LocalPostgresError.self) {
            try await server.runScript("select 1", database: "a \"quoted\" name")
        }
        await server.stop()
        #expect(!FileManager.default.fileExists(atPath: server.folder))
    }

    @Test func `data outlive a stop, a restart, a crash and a kill`() async throws {
        try await inTemporaryFolder { folder in
            let first = try await LocalPostgres.start(folder: folder, durability: .durable)
            try await first.runScript("create table pets (name text)", database: "postgres")
            try await first.runScript("insert into pets values ('Ada')", database: "postgres")
            try await first.restart(mode: .immediate)
            #expect(try await first.runScript("select name from pets", database: "postgres") == "Ada\n")
            try await first.runScript("insert into pets values ('Eve')", database: "postgres")
            try await first.restart(mode: .killed)
            let both = try await first.runScript("select name from pets order by name", database: "postgres")
            #expect(both == "Ada\nEve\n")
            try await first.runScript("delete from pets where name = 'Eve'", database: "postgres")
            try await first.restart(mode: .fast)
            await first.stop()

            let second = try await LocalPostgres.start(folder: folder, durability: .durable)
            let found = try await second.runScript("select name from pets; show fsync", database: "postgres")
            #expect(found == "Ada\non\n")
            await second.stop()
        }
    }

    @Test func `a second server on the same data is refused while the first lives`() async throws {
        try await inTemporaryFolder { folder in
            let first = try await LocalPostgres.start(folder: folder, durability: .disposable)
            let error = await #expect(throws: LocalPostgresError.self) {
                try await LocalPostgres.start(folder: folder, durability: .durable)
            }
            guard case .alreadyRunning = error else {
                Issue.record("another error: \(String(describing: error))")
                return await first.stop()
            }
            #expect(try await first.runScript("select 1", database: "postgres") == "1\n")
            await first.stop()
        }
    }

    @Test func `a lock file of a process that is gone, or is something else now, is no obstacle`() async throws {
        try await inTemporaryFolder { folder in
            let first = try await LocalPostgres.start(folder: folder, durability: .durable)
            let lockFile = folder + "/data/postmaster.pid"
            let lock = try String(contentsOfFile: lockFile, encoding: .utf8)
            await first.stop()
            for processID in ["1", "4194303", String(ProcessInfo.processInfo.processIdentifier)] {
                let lines = lock.split(separator: "\n", omittingEmptySubsequences: false)
                let stale = ([Substring(processID)] + lines.dropFirst()).joined(separator: "\n")
                try stale.write(toFile: lockFile, atomically: false, encoding: .utf8)
                let next = try await LocalPostgres.start(folder: folder, durability: .durable)
                await next.stop()
            }
        }
    }

    @Test func `the server ends with its owner, and the next one waits for that`() async throws {
        try await inTemporaryFolder { folder in
            // Nobody stops it: the pipe closes with the last reference, as it does when the process is killed.
            try await LocalPostgres.start(folder: folder, durability: .durable)
                .runScript("create table pets (name text)", database: "postgres")
            let next = try await LocalPostgres.start(folder: folder, durability: .durable)
            #expect(try await next.runScript("select count(*) from pets", database: "postgres") == "0\n")
            await next.stop()
        }
    }

    @Test func `a folder too deep for a socket gets a short one elsewhere`() async throws {
        try await inTemporaryFolder { folder in
            let deep = folder + "/" + String(repeating: "deep", count: 30)
            let server = try await LocalPostgres.start(folder: deep, durability: .disposable)
            #expect(try await server.runScript("select 1", database: "postgres") == "1\n")
            await server.stop()
        }
    }

    @Test func `a setting that PostgreSQL does not know ends with its own words`() async throws {
        let error = await #expect(throws: LocalPostgresError.self) {
            try await LocalPostgres.temporary(settings: ["no_such_setting": "1"])
        }
        #expect(String(describing: error).contains("unrecognized configuration parameter"))
    }

    @Test(.enabled(if: geteuid() == 0))
    func `a folder that the server's user cannot enter is named, with a remedy`() async throws {
        try await inTemporaryFolder { folder in
            let closed = folder + "/closed"
            try FileManager.default.createDirectory(
                atPath: closed, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let error = await #expect(throws: LocalPostgresError.self) {
                try await LocalPostgres.start(folder: closed + "/postgres", durability: .durable)
            }
            #expect(String(describing: error).contains("cannot enter \(closed):"))
        }
    }

    @Test func `the folder is closed to everybody else`() async throws {
        let server = try await LocalPostgres.temporary()
        for folder in [server.folder, server.folder + "/data", server.folder + "/socket"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o700)
        }
        await server.stop()
    }

    private func inTemporaryFolder(_ body: (String) async throws -> Void) async throws {
        let name = "gatepost-" + UUID().uuidString.prefix(8)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }
}

import Foundation
import GatepostDev
import TestSupport
import Testing

/// Ways to the database that an operator may give: several hosts, of which one is dead or only reads.
@Suite(
    "Connections", .timeLimit(.minutes(20)),
    .disabled(if: LocalPooler.isAsked, "several hosts are named to Postgres itself, past a pooler"))
struct ConnectionTests {
    @Test func `of two hosts the one that answers is found`() async throws {
        try await Installation.running { installation in
            let url = twoHosts("/nowhere", socket(of: installation.cluster), database: installation.database)
            try await expectWork(installation, through: url)
        }
    }

    @Test func `of a standby and its primary the primary is found`() async throws {
        let postgres = try await LocalPostgres.temporary(settings: ["wal_level": "replica", "max_wal_senders": "4"])
        let folder = "/tmp/gatepost-standby-\(UUID().uuidString.prefix(8))"
        let result: Result<Void, any Error>
        do {
            try await Installation.running(on: Cluster(postgres)) { installation in
                let standby = try await installation.cluster.makeStandby(in: folder)
                let outcome: Result<Void, any Error>
                do {
                    let recovers = try await standby.runScript("select pg_is_in_recovery()", database: "postgres")
                    #expect(recovers == "t\n")
                    let url = twoHosts(
                        folder + "/socket", socket(of: installation.cluster), database: installation.database)
                    outcome = .success(try await expectWork(installation, through: url))
                } catch {
                    outcome = .failure(error)
                }
                await standby.stop()
                try outcome.get()
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await postgres.stop()
        try? FileManager.default.removeItem(atPath: folder)
        try result.get()
    }

    /// A sign-up is written, its mail is delivered, both over this way.
    private func expectWork(_ installation: Installation, through url: String) async throws {
        let way = ["GATEPOST_DATABASE_URL": url]
        try await installation.serve(way)
        try await installation.work(way)
        let app = try await installation.makeApp()
        _ = try await app.signUp("ada@example.com")
        try await installation.waitUntilNothingIsOwed()
        #expect(await installation.relay.mails().count == 1)
        let list = try await installation.run("apps", "list", settings: way)
        #expect(list.exit == .done && list.output.contains(app.id))
    }

    private func socket(of cluster: Cluster) -> String { cluster.postgres.folder + "/socket" }

    private func twoHosts(_ first: String, _ second: String, database: String) -> String {
        "host=\(first),\(second) port=5432,5432 user=\(Cluster.loginRole) dbname=\(database) "
            + "target_session_attrs=read-write"
    }
}

extension Cluster {
    /// Copies the running server to a folder and starts the copy as a standby that follows it.
    fileprivate nonisolated func makeStandby(in folder: String) async throws -> LocalPostgres {
        let files = FileManager.default
        let owner = try files.attributesOfItem(atPath: postgres.folder + "/data")
        let ownership = owner.filter { [.ownerAccountID, .groupOwnerAccountID].contains($0.key) }
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        _ = try await OutsideProgram.run(
            try programs() + "/pg_basebackup",
            [
                "--pgdata=\(folder)/data", "--host=\(postgres.folder)/socket", "--username=\(LocalPostgres.superuser)",
                "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync",
            ])
        // Root copies for the user that the server runs as.
        let copied = [folder] + (files.subpaths(atPath: folder) ?? []).map { "\(folder)/\($0)" }
        if geteuid() == 0 {
            for path in copied { try files.setAttributes(ownership, ofItemAtPath: path) }
        }
        return try await LocalPostgres.start(folder: folder, settings: ["hot_standby": "on"], durability: .disposable)
    }
}

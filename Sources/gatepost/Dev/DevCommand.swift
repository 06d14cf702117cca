import ArgumentParser
import Foundation
import GatepostAPI
import GatepostDelivery
import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostStore
import Passwords
import Postgres

/// `gatepost dev`: everything on this machine, to try it out and to build against.
struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Run everything on this machine: Postgres, API, workers and a mail catcher.",
        discussion: """
            Needs no settings. Keeps a private Postgres cluster and a key-encryption key in the data folder, so a
            second start finds everything as it was. Mails are received by real SMTP and shown on a page; none
            leaves this machine. Not for production: the key lies beside the data.
            """)

    @Option(help: "The port of API and pages.")
    var port = 8080
    @Option(help: "The folder that keeps the data.")
    var data = ".gatepost"
    @Flag(help: "Start nothing; print the settings with which other commands reach the one that runs.")
    var settings = false

    func validate() throws {
        guard (1...65535).contains(port) else { throw ValidationError("a port is a number from 1 to 65535") }
    }

    func run() async throws {
        let folder = DevFolder(URL(fileURLWithPath: data))
        if settings { return Terminal.say(try DevSettings(folder).line) }
        let postgres = try await folder.startPostgres()
        let catcher = try await MailCatcher.start()
        do {
            let configuration = try folder.configuration(postgres: postgres, smtpPort: catcher.port, port: port)
            _ = try await MigrateCommand.migrate(configuration)
            let wiring = try await Wiring.open(configuration)
            try await runServices(wiring, catcher, try await folder.adminKey(wiring))
            await wiring.pool.shutdown()
        } catch {
            await catcher.stop()
            await postgres.stop()
            throw error
        }
        await catcher.stop()
        await postgres.stop()
        Terminal.say("stopped; the data are in \(data)")
    }

    private func runServices(_ wiring: Wiring, _ catcher: MailCatcher, _ adminKey: Secret) async throws {
        let demo = try await DemoApp.findOrCreate(wiring)
        let hasher = PasswordHasher(wiring.configuration, metrics: wiring.metrics)
        let transport = try wiring.mailTransport()
        let captured = CapturedMailFlow(
            database: wiring.database, clock: wiring.clock, random: wiring.random, keys: try wiring.keyRing())
        let server = try wiring.server(hasher: hasher, devMails: DevMails(catcher, captured: captured)) { _ in
            DevGreeting(baseURL: wiring.configuration.baseURL, demo: demo, adminKey: adminKey, data: data).say()
        }
        let services = try wiring.workers(transport: transport)
        try await wiring.run([ClockService(clock: wiring.clock)] + services + [server])
        await transport.shutdown()
        await hasher.shutdown()
    }
}

import ArgumentParser
import GatepostDelivery
import GatepostModel
import Postgres
import ServiceLifecycle

/// `gatepost work`: delivers what is owed and runs the jobs.
struct WorkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work",
        abstract: "Deliver what is owed and run the jobs.",
        discussion: """
            Stateless: run as many as you like; they share the work and no message is anyone's for longer than its
            lease. SIGTERM finishes what is under way, for at most 20 seconds, and gives the rest back.
            """)

    func run() async throws {
        let configuration = try Configuration(environment: environment(), for: .work)
        let wiring = try await Wiring.open(configuration)
        let transport = try wiring.mailTransport()
        let services = try wiring.workers(transport: transport)
        Terminal.say("working")
        try await wiring.run([ClockService(clock: wiring.clock)] + services)
        await transport.shutdown()
        await wiring.pool.shutdown()
    }
}

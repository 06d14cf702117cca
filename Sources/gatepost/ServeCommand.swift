import ArgumentParser
import GatepostModel
import Passwords
import Postgres
import ServiceLifecycle

/// `gatepost serve`: answers HTTP.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Answer HTTP: the API, the OpenID endpoints and the pages.",
        discussion: """
            Stateless: run as many as you like behind a load balancer. SIGTERM stops taking connections and lets
            running requests end. Owes mails and notices, delivers none: that is gatepost work.
            """)

    func run() async throws {
        let configuration = try Configuration(environment: environment(), for: .serve)
        let wiring = try await Wiring.open(configuration)
        let hasher = PasswordHasher(configuration, metrics: wiring.metrics)
        let server = try wiring.server(hasher: hasher) { port in
            Terminal.say("listening on http://\(configuration.listen.host):\(port)")
        }
        try await wiring.run([ClockService(clock: wiring.clock), server])
        await hasher.shutdown()
        await wiring.pool.shutdown()
    }
}

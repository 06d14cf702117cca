import GatepostDelivery
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers

/// Workers of a site, in a process of their own or in this one.
extension Site {
    /// Where mails come from.
    static let sender = "no-reply@gatepost.example"

    /// The settings of `gatepost work` that go beyond the site's.
    static func mailing(to port: Int, connections: Int? = nil, slots: Int? = nil) -> [String: String] {
        var settings = ["GATEPOST_SMTP_URL": "smtp://127.0.0.1:\(port)", "GATEPOST_MAIL_FROM": sender]
        settings["GATEPOST_SMTP_CONNECTIONS"] = connections.map(String.init)
        settings["GATEPOST_OUTBOX_SLOTS"] = slots.map(String.init)
        return settings
    }

    /// Runs `body` while `gatepost work` works.
    func working<Output>(
        with settings: [String: String], _ body: (Program) async throws -> Output
    ) async throws -> Output {
        try await running(["work"], saying: "working", with: settings, body)
    }

    /// Runs `body` while a worker of this process sends mails, as in `gatepost dev`: a signal wakes it.
    func mailingHere(
        to port: Int, on database: Database, _ body: (OutboxSignal) async throws -> Void
    ) async throws {
        guard let relay = MailRelay(url: "smtp://127.0.0.1:\(port)"), let from = EmailAddress(Self.sender) else {
            throw Program.Failed(description: "no relay at \(port)")
        }
        let transport = MailTransport(relay: relay, connectionsMax: Configuration().smtpConnections)
        let (clock, ring) = (HostClock(), try KeyRing(keys))
        let post = MailPost(
            transport: transport, capture: MailCapture(database: database, clock: clock, keys: ring),
            templates: try MailTemplates(), from: from, baseURL: baseURL)
        let handler = VerificationMailHandler(database: database, clock: clock, keys: ring, post: post)
        let worker = LocalWorker(handlers: [VerificationMail.kind: handler])
        let result: Result<Void, any Error>
        do {
            result = .success(try await worker.running(on: database) { try await body(worker.signal) })
        } catch {
            result = .failure(error)
        }
        await transport.shutdown()
        try result.get()
    }
}

/// The memory of a program, from before a load to its highest.
struct Growth {
    private let program: Program
    private let idle: Double
    private(set) var peak: Double

    /// Looks at a program that has nothing to do.
    init(of program: Program) throws {
        self.program = program
        idle = try program.residentMiB
        peak = idle
    }

    /// Looks again.
    mutating func look() throws {
        peak = max(peak, try program.residentMiB)
    }

    var mebibytes: Double { peak - idle }
}

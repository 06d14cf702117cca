import GatepostDelivery
import GatepostFlows
package import GatepostModel
package import GatepostOutbox
import GatepostStore
package import GatepostWorkers
package import Logging
import Postgres

extension TestApp {
    /// Where links in this test's mails lead.
    package static let baseURL = "https://auth.example"

    /// A worker with every handler there is, whose mails go to a sink.
    ///
    /// It works for all apps of the database, so unless its work is drained for one app, the test needs a database of
    /// its own.
    package func worker(
        to sink: MailSink, settings: WorkerSettings = WorkerSettings(), keys: KeyRing? = nil,
        signal: OutboxSignal = OutboxSignal(), metrics: WorkerMetrics = .uncounted,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) throws -> OutboxWorker {
        guard let from = EmailAddress("no-reply@gatepost.example"),
            let relay = MailRelay(url: "smtp://127.0.0.1:\(sink.port)")
        else { throw TestAppMissing() }
        let keys = keys ?? self.keys
        let post = MailPost(
            transport: MailTransport(relay: relay, connectionsMax: 4),
            capture: MailCapture(database: database, clock: clock, keys: keys), templates: try MailTemplates(),
            from: from, baseURL: Self.baseURL)
        let rotation = SigningKeyFlow(clock: clock, random: random, keys: keys)
        let handlers: [MessageKind: any Handler] = [
            VerificationMail.kind: VerificationMailHandler(database: database, clock: clock, keys: keys, post: post),
            AdminInvitationMail.kind: AdminInvitationMailHandler(
                database: database, clock: clock, keys: keys, post: post),
            AccountExistsMail.kind: AccountExistsMailHandler(database: database, post: post),
            SigningKeyRotation.kind: SigningKeyRotateHandler(database: database, clock: clock, flow: rotation),
            AuditExportPart.kind: AuditExportHandler(
                database: database, clock: clock,
                flow: AuditExportFlow(database: database, clock: clock, random: random, keys: keys)),
            AuditExportReadyMail.kind: AuditExportReadyMailHandler(
                database: database, clock: clock, keys: keys, post: post),
        ].merging(FlowMailHandler.all(database: database, clock: clock, keys: keys, post: post)) { $1 }
            .merging(UserNoticeHandler.all(database: database, post: post)) { $1 }
        return OutboxWorker(
            database: database, clock: clock, random: random, handlers: handlers, settings: settings, signal: signal,
            metrics: metrics, logger: logger)
    }

    /// Delivers everything that any app owes by now; the test needs a database of its own.
    package func drainAll(to sink: MailSink) async throws {
        try await worker(to: sink).drain()
    }

    /// Delivers what this app owes by a moment, in the calling task, and leaves other apps of the database alone.
    ///
    /// - Parameters:
    ///   - moment: The clock is set to it; nil leaves the clock.
    ///   - sink: Where the mails go.
    /// - Throws: What Postgres says.
    package func drainOutbox(at moment: Instant? = nil, to sink: MailSink) async throws {
        if let moment { clock.set(moment) }
        let worker = try worker(to: sink)
        try await database.batch(in: scope) { batch in
            batch.add(
                """
                update outbox set ready = true, due_at = \(clock.now)
                 where app_id = \(id) and not ready and held_at is null and due_at <= \(clock.now)
                """)
        }
        let turns = [AppTurn(app: id, floor: Instant(microseconds: 0))]
        for lane in Lane.allCases {
            while true {
                let claimed = try await database.system { batch in
                    batch.claim(lane, of: turns, rowsPerApp: 100, leaseEnd: clock.now + worker.settings.lease)
                }
                for message in claimed { worker.keep(await worker.deliver(message)) }
                try await worker.settle()
                if claimed.isEmpty { break }
            }
        }
    }
}

import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostWorkers

extension Wiring {
    /// What makes audit exports, and tells admins of them.
    func auditHandlers(keys: KeyRing, post: MailPost) -> [MessageKind: any Handler] {
        let flow = AuditExportFlow(database: database, clock: clock, random: random, keys: keys, signal: signal)
        return [
            AuditExportPart.kind: AuditExportHandler(database: database, clock: clock, flow: flow),
            AuditExportReadyMail.kind: AuditExportReadyMailHandler(
                database: database, clock: clock, keys: keys, post: post),
        ]
    }
}

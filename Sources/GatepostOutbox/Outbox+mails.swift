package import GatepostModel
package import GatepostStore
import Postgres

extension AppBatch {
    /// Owes the mail of a flow that was begun earlier in the same transaction, if the flow has a user.
    ///
    /// One statement for known and unknown addresses, so neither the answer nor its time tells which it was.
    ///
    /// - Parameters:
    ///   - mail: Which mail.
    ///   - id: The message's id, if one comes about.
    ///   - flow: The flow.
    ///   - recipientHash: The keyed hash of the address that it goes to, for the ledger.
    ///   - now: The moment.
    package mutating func enqueue(
        _ mail: FlowMail, _ id: MessageID, of flow: NewMailFlow, recipientHash: [UInt8], at now: Instant
    ) {
        enqueue(mail, id, of: flow, recipientHash: recipientHash, where: "true", at: now)
    }

    /// Owes the mail to a user's new address, unless the app has another user of that address: who asked gets the
    /// same answer and waits in vain.
    package mutating func enqueueIfFree(
        _ mail: FlowMail, _ id: MessageID, of flow: NewMailFlow, recipientHash: [UInt8], at now: Instant
    ) {
        let isFree: SQL = """
            not exists (select from users as o where o.app_id = f.app_id and o.email = f.email)
            """
        enqueue(mail, id, of: flow, recipientHash: recipientHash, where: isFree, at: now)
    }

    private mutating func enqueue(
        _ mail: FlowMail, _ id: MessageID, of flow: NewMailFlow, recipientHash: [UInt8], where condition: SQL,
        at now: Instant
    ) {
        add(
            """
            insert into outbox (app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, ready, due_at,
                                expires_at, payload, unique_key, trace, created_at)
            select f.app_id, \(id), \(mail.kind.rawValue)::text, \(mail.lane)::text,
                   \(OutboxMessage.mailRoute)::text, f.id, f.user_id, \(recipientHash), true, \(now),
                   f.expires_at - \(Lifetimes.mailMargin.wholeSeconds)::bigint * interval '1 second', '{}',
                   \(mail.rawValue + " ")::text || \(mail.mergesBy), \(trace?.traceparent)::text, \(now)
              from flows as f
             where f.app_id = \(scope.appID) and f.id = \(flow.id) and f.user_id is not null and \(condition)
            \(mergingWithUnclaimed)
            """)
    }
}

extension FlowMail {
    /// Mails of one user merge, but for those of which each has to arrive.
    fileprivate var mergesBy: SQL { self == .emailChanged ? "f.id" : "f.user_id" }
}

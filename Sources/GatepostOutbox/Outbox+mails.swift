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

extension AppBatch {
    /// Owes a user a notice of what this transaction changes.
    ///
    /// - Parameters:
    ///   - notice: Which.
    ///   - id: The message's id.
    ///   - user: Who is told; the address is read when the mail is sent.
    ///   - recipientHash: The keyed hash of the address that is theirs at the change, for the ledger; nil where the
    ///     flow does not know it.
    ///   - provider: The provider's name, in a notice about an identity.
    ///   - now: The moment of the change: an address that the user has proved since is told nothing.
    package mutating func enqueue(
        _ notice: UserNotice, _ id: MessageID, to user: UserID, recipientHash: [UInt8]? = nil, provider: String? = nil,
        at now: Instant
    ) {
        enqueue(
            notice, id, recipientHash: recipientHash, provider: "\(provider)::text", at: now,
            where: "users as u where u.app_id = \(scope.appID) and u.id = \(user)")
    }

    /// Owes a notice of an identity that this very transaction has linked, to the user whom an event names; nothing
    /// where the event was not written.
    ///
    /// - Parameters:
    ///   - notice: Which.
    ///   - id: The message's id.
    ///   - event: The event of the linking, written earlier in the same transaction.
    package mutating func enqueue(_ notice: UserNotice, _ id: MessageID, ifRecorded event: AuditEvent) {
        enqueue(
            notice, id, recipientHash: nil, provider: "coalesce(p.label, i.issuer)", at: event.at,
            where: """
                audit_events as a
                  join users as u on u.app_id = a.app_id and u.id = a.user_id
                  join user_identities as i
                    on i.app_id = u.app_id and i.user_id = u.id and i.xmin = pg_current_xact_id()::xid
                  left join identity_providers as p on p.app_id = i.app_id and p.issuer = i.issuer
                 where a.app_id = \(scope.appID) and a.id = \(event.id)
                """)
    }

    private mutating func enqueue(
        _ notice: UserNotice, _ id: MessageID, recipientHash: [UInt8]?, provider: SQL, at now: Instant,
        where condition: SQL
    ) {
        add(
            """
            insert into outbox (app_id, id, kind, lane, route, user_id, recipient_hash, ready, due_at, expires_at,
                                payload, trace, created_at)
            select u.app_id, \(id), \(notice.rawValue)::text, \(Lane.notice)::text,
                   \(OutboxMessage.mailRoute)::text, u.id, \(recipientHash)::bytea, true, \(now),
                   \(now + Lifetimes.userNotice), jsonb_strip_nulls(jsonb_build_object('provider', \(provider))),
                   \(trace?.traceparent)::text, \(now)
              from \(condition)
            """)
    }
}

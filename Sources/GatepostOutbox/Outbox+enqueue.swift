package import GatepostModel
package import GatepostStore
import Postgres

/// What a merge takes over from the newest message; the id and the place in the queue stay those of the first.
///
/// The flow above all: the older one is superseded, and a mail for it would end as obsolete.
let mergingWithUnclaimed: SQL = """
    on conflict (app_id, unique_key) where claim_number = 0 and unique_key is not null
    do update set flow_id = excluded.flow_id, payload = excluded.payload, expires_at = excluded.expires_at,
                  recipient_hash = excluded.recipient_hash, trace = excluded.trace
    """

extension AppBatch {
    /// Owes a message, in the transaction of the change that causes it.
    ///
    /// One whose unique key waits unclaimed merges with it. That is no idempotency: once a message is claimed, a
    /// successor is owed.
    package mutating func enqueue(_ message: OutboxMessage) {
        add(
            """
            insert into outbox (app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, ready, due_at,
                                expires_at, payload, unique_key, trace, created_at)
            values (\(scope.appID), \(message.id), \(message.kind.rawValue), \(message.lane), \(message.route),
                    \(message.flowID), \(message.userID), \(message.recipientHash), true, \(message.createdAt),
                    \(message.expiresAt), \(message.payload), \(message.uniqueKey), \(trace?.traceparent),
                    \(message.createdAt))
            \(mergingWithUnclaimed)
            """)
    }

    /// Owes the mail that a sign-up causes, whatever became of the sign-up.
    ///
    /// A flow that can open an account owes `mail.verification`; an address that has a verified account is owed
    /// `mail.account_exists`; a deactivated user is owed nothing. One statement for all of them, so neither the
    /// answer nor its time tells which it was.
    ///
    /// - Parameters:
    ///   - flow: The sign-up, written earlier in the same batch or before.
    ///   - id: The message's id, if one comes about.
    ///   - address: The address that was signed up with.
    ///   - recipientHash: Its keyed hash, for the ledger.
    ///   - now: The moment of the sign-up.
    ///   - expiresAt: The end of the flow's secrets less `Lifetimes.mailMargin`.
    package mutating func enqueueSignUpMail(
        flow: FlowID, id: MessageID, address: EmailAddress, recipientHash: [UInt8], at now: Instant,
        expiresAt: Instant
    ) {
        add(
            """
            insert into outbox (app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, ready, due_at,
                                expires_at, payload, unique_key, trace, created_at)
            select u.app_id, \(id), mail.kind, \(Lane.interactive)::text, \(OutboxMessage.mailRoute)::text, f.id, u.id,
                   \(recipientHash), true, \(now), \(expiresAt), '{}', mail.unique_key_prefix || u.id,
                   \(trace?.traceparent)::text, \(now)
              from users as u
              left join flows as f on f.app_id = u.app_id and f.id = \(flow) and f.user_id = u.id
             cross join lateral (
                     select \(VerificationMail.kind.rawValue)::text as kind,
                            \(VerificationMail.uniqueKeyPrefix)::text as unique_key_prefix
                      where u.email_verified_at is null and f.id is not null
                      union all
                     select \(AccountExistsMail.kind.rawValue), \(AccountExistsMail.uniqueKeyPrefix)
                      where u.email_verified_at is not null) as mail
             where u.app_id = \(scope.appID) and u.email = \(address.canonical) and u.state = 'active'
            \(mergingWithUnclaimed)
            """)
    }
}

extension AppTransaction {
    /// Owes a message; see `AppBatch.enqueue`.
    package func enqueue(_ message: OutboxMessage) async throws {
        try await batch { $0.enqueue(message) }
    }
}

package import GatepostModel
package import GatepostStore
import Postgres

extension AppBatch {
    /// Owes each endpoint that wants to know a notice about a user, in the transaction of the change.
    ///
    /// Nothing is owed where the user is not there: so a sign-up may owe `user.created` for the id that it would have
    /// made, and an address that had an account already gives nothing away by the statement.
    package mutating func owe(_ type: WebhookEventType, about user: UserID, at now: Instant) {
        add(
            notices(
                type, of: "select app_id, id as user_id, email_entered from users", at: now,
                data: "jsonb_build_object('user_id', a.user_id, 'email', a.email_entered)",
                where: "a.app_id = \(scope.appID) and a.user_id = \(user)"))
    }

    /// The insert that owes notices for rows.
    ///
    /// - Parameters:
    ///   - type: What happened.
    ///   - rows: Whom it happened to: a select with `app_id` and `user_id`.
    ///   - now: When.
    ///   - data: The notice's data, made of a row `a`.
    ///   - condition: Which rows, and that they are the app's.
    /// - Returns: The statement; one message a row and endpoint.
    func notices(
        _ type: WebhookEventType, of rows: SQL, at now: Instant, data: SQL, where condition: SQL
    ) -> SQL {
        """
        insert into outbox (app_id, id, kind, lane, route, user_id, ready, due_at, expires_at, payload, trace,
                            created_at)
        select a.app_id, gen_random_uuid(), \(WebhookNotice.kind.rawValue)::text, \(Lane.notice)::text,
               \(OutboxMessage.webhookRoutePrefix)::text || e.id, a.user_id, true, \(now)::timestamptz,
               \(now + Lifetimes.webhookNotice)::timestamptz,
               jsonb_build_object('type', \(type.rawValue)::text, 'timestamp', \(now.description)::text,
                                  'data', \(data)),
               \(trace?.traceparent)::text, \(now)::timestamptz
          from (\(rows)) as a
          join webhook_endpoints as e on e.app_id = a.app_id
         where \(condition) and e.state = 'enabled' and \(type.rawValue)::text = any (e.event_types)
        """
    }
}

import Postgres

/// Statements over a whole database; each row that one returns is a breach.
enum WholeChecks {
    /// Tables that an app reads in its own scope.
    static let scopedTables = [
        "users", "flows", "sessions", "token_families", "refresh_tokens", "authorization_codes", "credentials",
        "audit_events", "outbox", "deliveries", "delivery_attempts", "webhook_endpoints", "signing_keys",
    ]

    static let statements: [(Promise, SQL)] = [
        // History may be dropped one day, but not within a week.
        (
            .noMessageIsLost,
            """
            select o.kind || ' ' || o.id as detail
              from witness.owed as o
              left join witness.ended as e on e.app_id = o.app_id and e.id = o.id
             where not exists (select from outbox as q where q.app_id = o.app_id and q.id = o.id)
               and not exists (select from deliveries as d where d.app_id = o.app_id and d.id = o.id)
               and (e.at is null
                    or e.at > (select max(created_at) from audit_events) - interval '7 days')
             limit 5
            """
        ),
        (
            .oneEnd,
            """
            select 'ended ' || count(*) || ' times: ' || id as detail
              from deliveries group by app_id, id having count(*) > 1 limit 5
            """
        ),
        (
            .oneEnd,
            """
            select 'owed and ended: ' || o.id as detail
              from outbox as o join deliveries as d on d.app_id = o.app_id and d.id = o.id limit 5
            """
        ),
        // The newest sign-up of an address that can open an account has its mail.
        (
            .noMessageIsLost,
            """
            select 'no mail for flow ' || f.id as detail
              from flows as f
             where f.kind = 'sign_up' and f.state = 'pending' and f.user_id is not null
               and not exists (select from outbox as o where o.app_id = f.app_id and o.flow_id = f.id)
               and not exists (select from deliveries as d where d.app_id = f.app_id and d.flow_id = f.id)
             limit 5
            """
        ),
        (
            .nothingAfterTheEnd,
            """
            select a.outcome || ' ' || a.message_id as detail
              from delivery_attempts as a
              join deliveries as d on d.app_id = a.app_id and d.id = a.message_id
             where a.started_at > d.ended_at limit 5
            """
        ),
        (
            .nothingRedeemedTwice,
            """
            select 'two sessions from one code of ' || user_id as detail
              from authorization_codes group by app_id, user_id, session_id having count(session_id) > 1 limit 5
            """
        ),
        (
            .nothingRedeemedTwice,
            """
            select 'sessions without a code: ' || count(*) as detail
              from sessions as s
             where s.created_at > (select max(created_at) from audit_events) - interval '12 hours'
               and not exists (select from authorization_codes as a
                                where a.app_id = s.app_id and a.session_id = s.id)
            having count(*) > 0
            """
        ),
        (
            .nothingRedeemedTwice,
            """
            select 'a family with two unused tokens: ' || family_id as detail
              from refresh_tokens where used_at is null group by app_id, family_id having count(*) > 1 limit 5
            """
        ),
        (
            .theDeadStayDead,
            """
            select 'a session of a dead epoch goes on: ' || s.id as detail
              from sessions as s join users as u on u.app_id = s.app_id and u.id = s.user_id
             where s.ended_at is null and (u.state <> 'active' or u.auth_epoch <> s.auth_epoch) limit 5
            """
        ),
        (
            .theDeadStayDead,
            """
            select 'a family outlives its session: ' || f.id as detail
              from token_families as f join sessions as s on s.app_id = f.app_id and s.id = f.session_id
             where (f.ended_at is null) <> (s.ended_at is null) limit 5
            """
        ),
        (
            .eachChangeHasItsEvent,
            """
            select 'session ' || s.id || ' has no event' as detail
              from sessions as s
             where not exists (select from audit_events as e
                                where e.app_id = s.app_id and e.session_id = s.id and e.kind = 'session.started')
             limit 5
            """
        ),
        (
            .eachChangeHasItsEvent,
            """
            select 'user ' || u.id || ' is verified without an event' as detail
              from users as u
             where u.email_verified_at is not null
               and not exists (select from audit_events as e
                                where e.app_id = u.app_id and e.user_id = u.id and e.kind = 'user.verified')
             limit 5
            """
        ),
        (
            .noRowOfAnotherApp,
            """
            select e.kind || ' names a user of another app: ' || e.user_id as detail
              from audit_events as e
             where e.user_id is not null
               and not exists (select from users as u where u.app_id = e.app_id and u.id = e.user_id)
               and not exists (select from audit_events as d
                                where d.app_id = e.app_id and d.user_id = e.user_id and d.kind = 'user.deleted')
             limit 5
            """
        ),
        (
            .noRowOfAnotherApp,
            """
            select o.kind || ' names a user of another app: ' || o.user_id as detail
              from (select app_id, kind, user_id from outbox union all select app_id, kind, user_id from deliveries)
                   as o
             where o.user_id is not null
               and not exists (select from users as u where u.app_id = o.app_id and u.id = o.user_id)
               and not exists (select from audit_events as d
                                where d.app_id = o.app_id and d.user_id = o.user_id and d.kind = 'user.deleted')
             limit 5
            """
        ),
    ]
}

-- Ends sessions that lay idle too long or reached their greatest age, and says which of the two it was.
--
-- Such a session opens nothing already: every read compares both limits with the time itself. This job writes
-- down the end, so that the user's list of devices is true, the refresh tokens of the session end with it, and
-- the audit trail says when and why. The session, its token families and the event change together or not at
-- all, which is why this is one statement.
--
-- Where an app has webhook endpoints that want to know, each is owed a notice by the same statement. The payload has
-- uuids; the worker writes them as ids. A notice is owed for as long as its last retry can be away.
--
-- `for update` also steps over a session to which a family is being added at this moment (the foreign key holds
-- a lock on it): the next run ends both. The families are looked up session by session behind `offset 0`: as a
-- plain join, the planner reads all of them when it believes that there are few. So are the endpoints.
--
-- schedule:    * * * * *
-- batch:       200
-- notice_life: 5 days
-- timeout:     10 seconds

with ended as (
       update sessions
          set ended_at = :'now',
              end_reason = case when idle_expires_at <= expires_at then 'idle' else 'expired' end
        where ctid = any (array(
                select ctid
                  from sessions
                 where ended_at is null
                   and least(idle_expires_at, expires_at) <= :'now'::timestamptz
                 order by least(idle_expires_at, expires_at)
                 limit :batch
                   for update skip locked))
       returning app_id, id, user_id, client_id, end_reason),
     families as (
       update token_families as f
          set ended_at = :'now',
              end_reason = e.end_reason
         from ended as e
        cross join lateral (
                select ctid as spot
                  from token_families
                 where app_id = e.app_id
                   and session_id = e.id
                   and ended_at is null
                   for update
                offset 0) as found
        where f.ctid = found.spot),
     notices as (
       insert into outbox (app_id, id, kind, lane, route, user_id, ready, due_at, expires_at, payload, created_at)
       select e.app_id, gen_random_uuid(), 'webhook.notice', 'notice', 'webhook ' || w.id, e.user_id, true, :'now',
              :'now'::timestamptz + :'notice_life'::interval,
              jsonb_build_object(
                'type', 'session.ended',
                'timestamp', to_char(:'now'::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'data', jsonb_build_object('user_id', e.user_id, 'session_id', e.id, 'client_id', e.client_id,
                                           'reason', e.end_reason)),
              :'now'
         from ended as e
        cross join lateral (
                select id
                  from webhook_endpoints
                 where app_id = e.app_id
                   and state = 'enabled'
                   and 'session.ended' = any (event_types)
                offset 0) as w)
insert into audit_events (app_id, id, kind, user_id, actor_kind, client_id, session_id, reason, details, created_at)
select app_id, gen_random_uuid(), 'session.ended', user_id, 'job', client_id, id, end_reason, '{}', :'now'
  from ended
returning app_id;

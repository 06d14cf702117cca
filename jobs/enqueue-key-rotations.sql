-- Asks for a new signing key in every app whose active key has reached its age.
--
-- A worker makes the key. This statement decides that one is due, so the decision can be read, explained and
-- changed here. The age is the app's own setting, else max_age; no app may set less than a day, which is what
-- lets signing_keys_age leave out the young keys.
--
-- An app without an active key is none of this job's business: the first key is made together with the app, the
-- first RSA key with the client that needs it, and a revoked one is replaced by the command that revokes it, at once
-- and not some night later.
--
-- While a next key exists, or a request for one waits to be claimed, nothing more is asked for. The message's id
-- is made of the key and the time of the run, so that the next batch of this run also recognises a request that a
-- worker has claimed already. A message ends after a day; if no worker could make the key until then, the
-- following night asks again.
--
-- `offset 0` keeps each `exists` a look-up by key: as a join, the planner may read the whole outbox for it.
--
-- schedule: 10 3 * * *
-- batch:    100
-- max_age:  90 days
-- timeout:  30 seconds

insert into outbox (app_id, id, kind, lane, route, payload, unique_key, ready, due_at, expires_at, created_at)
select k.app_id, md5(k.id::text || :'now')::uuid, 'signing_key.rotate', 'notice', 'local',
       jsonb_build_object('algorithm', k.algorithm), 'rotate ' || k.id,
       true, :'now', :'now'::timestamptz + interval '1 day', :'now'
  from signing_keys as k
  join apps as a on a.id = k.app_id
 where k.state = 'active'
   and k.activated_at <= :'now'::timestamptz - interval '1 day'
   and k.activated_at <= :'now'::timestamptz
       - coalesce(make_interval(secs => (a.settings ->> 'signing_key_seconds')::bigint), :'max_age'::interval)
   and not exists (select from signing_keys as n
                    where n.app_id = k.app_id
                      and n.algorithm = k.algorithm
                      and n.state = 'next'
                   offset 0)
   and not exists (select from outbox as o
                    where o.app_id = k.app_id
                      and o.unique_key = 'rotate ' || k.id
                      and o.claim_number = 0
                   offset 0)
   and not exists (select from outbox as o
                    where o.app_id = k.app_id
                      and o.id = md5(k.id::text || :'now')::uuid
                   offset 0)
 order by k.activated_at
 limit :batch
on conflict do nothing
returning app_id;

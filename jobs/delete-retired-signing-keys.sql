-- Deletes retired signing keys once no token that they signed can still be valid.
--
-- The longest life of a token is an hour and verifiers may be 30 seconds behind; a server may sign with a key it
-- holds in memory for a moment after the key was retired. Two hours leave a margin of almost one. With the row
-- goes the sealed private key, so an old backup is the only place left where it exists.
--
-- schedule:  25 * * * *
-- batch:     100
-- retention: 2 hours
-- timeout:   10 seconds

with deleted as (
       delete from signing_keys
        where ctid = any (array(
                select ctid
                  from signing_keys
                 where state = 'retired'
                   and retired_at < :'now'::timestamptz - :'retention'::interval
                 order by retired_at
                 limit :batch
                   for update skip locked))
       returning app_id, id, algorithm)
insert into audit_events (app_id, id, kind, actor_kind, details, created_at)
select app_id, gen_random_uuid(), 'signing_key.deleted', 'job',
       jsonb_build_object('key_id', id, 'algorithm', algorithm), :'now'
  from deleted
returning app_id;

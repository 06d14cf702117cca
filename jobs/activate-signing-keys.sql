-- Lets each next signing key sign once verifiers had time to fetch it, and retires the key it replaces.
--
-- A verifier that keeps an app's keys meets an unknown `kid` the moment the new key signs. So the key is
-- published for notice before it is used, and the one it replaces stays published after (see
-- delete-retired-signing-keys).
--
-- Both changes are one statement, so nobody ever sees an app without an active key. Their order matters:
-- signing_keys_active allows one active key an algorithm and is checked row by row. `activated` can only take a
-- key once it has read from `retired` what was retired in its favour, or that nothing was, so the old key has
-- always gone first. The keys are found again by primary key and not by ctid: if a row was rewritten between
-- reading and locking, its old place holds nothing, and the old key would retire with no heir.
--
-- schedule: */10 * * * *
-- batch:    100
-- notice:   1 hour
-- timeout:  10 seconds

with due as materialized (
       select app_id, id, algorithm
         from signing_keys
        where state = 'next'
          and created_at <= :'now'::timestamptz - :'notice'::interval
        order by created_at
        limit :batch
          for update skip locked),
     retired as (
       update signing_keys as k
          set state = 'retired',
              retired_at = :'now'
         from due as d
        where k.app_id = d.app_id
          and k.algorithm = d.algorithm
          and k.state = 'active'
       returning k.app_id, k.id, k.algorithm, d.id as heir_id),
     activated as (
       update signing_keys as k
          set state = 'active',
              activated_at = :'now'
         from due as d
         left join retired as r on r.app_id = d.app_id and r.heir_id = d.id
        where k.app_id = d.app_id
          and k.id = d.id
       returning k.app_id, k.id, k.algorithm, r.id as replaced_id),
     events as (
       insert into audit_events (app_id, id, kind, actor_kind, details, created_at)
       select app_id, gen_random_uuid(), 'signing_key.activated', 'job',
              jsonb_build_object('key_id', id, 'algorithm', algorithm, 'replaced_key_id', replaced_id),
              :'now'::timestamptz
         from activated
       union all
       select app_id, gen_random_uuid(), 'signing_key.retired', 'job',
              jsonb_build_object('key_id', id, 'algorithm', algorithm), :'now'::timestamptz
         from retired)
select app_id
  from activated;

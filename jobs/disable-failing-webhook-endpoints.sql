-- Disables webhook endpoints that took nothing for five days although they were tried all the time.
--
-- Every notice to such an endpoint costs up to eleven tries, and its app believes to be told. So it is disabled, with a
-- reason that the admin API shows and an audit event; what is still owed to it ends as obsolete when it falls due. An
-- admin enables it again once the receiver works (Standard Webhooks asks for both).
--
-- The worker notes at an attempt since when and until when an endpoint has failed, and forgets both at a success. The
-- span between them must be five days: one failure and then five days without any notice prove nothing. The event
-- names the endpoint as every other event does, `whe_` and the base 32 of its uuid, five bits a digit.
--
-- schedule: 12-59/15 * * * *
-- batch:    100
-- failing:  5 days
-- timeout:  10 seconds

with disabled as (
       update webhook_endpoints
          set state = 'disabled',
              disabled_reason = 'failing',
              disabled_at = :'now',
              changed_at = :'now'
        where ctid = any (array(
                select ctid
                  from webhook_endpoints
                 where state = 'enabled'
                   and first_failed_at <= :'now'::timestamptz - :'failing'::interval
                   and last_failed_at >= first_failed_at + :'failing'::interval
                 order by first_failed_at
                 limit :batch
                   for update skip locked))
       returning app_id, id, first_failed_at,
                 b'00' || ('x' || replace(id::text, '-', ''))::bit(128) as bits)
insert into audit_events (app_id, id, kind, actor_kind, reason, details, created_at)
select app_id, gen_random_uuid(), 'webhook_endpoint.disabled', 'job', 'failing',
       jsonb_build_object(
         'webhook_endpoint',
         'whe_' || (select string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', digit + 1, 1), '' order by n)
                      from generate_series(0, 25) as n
                     cross join lateral (
                             select substring(bits from 5 * n + 1 for 5)::bit(5)::integer as digit) as d),
         'failing_since', to_char(first_failed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
       :'now'::timestamptz
  from disabled
returning app_id;

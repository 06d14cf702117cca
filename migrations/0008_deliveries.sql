-- deliveries: what became of every message; one row a message, written when it leaves the outbox.
--
-- Insert-only, a partition a day by the day of its end, dropped when old. The default partition catches a row
-- whose day has none: a settle must never fail for that, or everything sent would be sent again.

create table deliveries (
  app_id         uuid        not null,
  id             uuid        not null,
  kind           text        not null,
  lane           text        not null,
  route          text        not null,
  flow_id        uuid,
  user_id        uuid,
  recipient_hash bytea,
  outcome        text        not null,
  reason         text,
  attempt_count  integer     not null,
  payload        jsonb       not null,
  replay_of      uuid,
  trace          text,
  created_at     timestamptz not null,
  ended_at       timestamptz not null,

  constraint deliveries_pkey          primary key (app_id, id, ended_at),
  constraint deliveries_outcome_known check (outcome in
    ('delivered', 'rejected', 'exhausted', 'expired', 'obsolete', 'suppressed', 'cancelled', 'indeterminate')),
  constraint deliveries_lane_known    check (lane in ('interactive', 'notice', 'bulk'))
) partition by range (ended_at);

create table deliveries_default partition of deliveries default;

-- Read by the ledger, by user.
create index deliveries_user on deliveries (app_id, user_id, ended_at) where user_id is not null;

-- Read by the ledger, by address.
create index deliveries_recipient on deliveries (app_id, recipient_hash, ended_at) where recipient_hash is not null;

alter table deliveries enable row level security;
create policy deliveries_of_app on deliveries to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert on deliveries to gatepost_app;

-- delivery_attempts: one row a try, with the server's own words. Insert-only and partitioned likewise.
create table delivery_attempts (
  app_id       uuid        not null,
  message_id   uuid        not null,
  claim_number integer     not null,
  outcome      text        not null,
  code         integer,
  reply        text        not null,
  started_at   timestamptz not null,
  ended_at     timestamptz not null,

  constraint delivery_attempts_pkey          primary key (app_id, message_id, claim_number, ended_at),
  constraint delivery_attempts_outcome_known check (outcome in
    ('delivered', 'transient', 'permanent', 'indeterminate'))
) partition by range (ended_at);

create table delivery_attempts_default partition of delivery_attempts default;

alter table delivery_attempts enable row level security;
create policy delivery_attempts_of_app on delivery_attempts to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert on delivery_attempts to gatepost_app;

-- ledger: one view over what is owed and what became of it.
--
-- security_invoker, because a view reads as its owner otherwise, past every policy.
create view ledger with (security_invoker = true) as
select app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, attempt_count, replay_of, trace, created_at,
       case when held_at is not null then 'held' when claim_number = 0 or ready then 'owed' else 'waiting' end as state,
       null::text as reason, due_at, expires_at, null::timestamptz as ended_at
  from outbox
union all
select app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, attempt_count, replay_of, trace, created_at,
       outcome as state, reason, null::timestamptz as due_at, null::timestamptz as expires_at, ended_at
  from deliveries;
grant select on ledger to gatepost_app;

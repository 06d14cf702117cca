-- What the ledger needs to be read page by page, and to owe anew what has ended.

-- When the message would have expired; null for what ended before this column was there. What is owed anew without a
-- flow lives as long again.
alter table deliveries add column expires_at timestamptz;

-- Read by the ledger, newest first, for what is owed. The ledger alone says created_at > '-infinity': without that
-- condition the settle was seen to look for its rows here, by app and id and past every created_at.
create index outbox_time on outbox (app_id, created_at, id) where created_at > '-infinity';

-- Read by the ledger, newest first, for what has ended.
create index deliveries_time on deliveries (app_id, created_at, id) where created_at > '-infinity';

-- Read by the ledger where a state other than delivered is asked for, and when what failed is redriven: the one mail
-- of a day that failed is not looked for among all that arrived.
create index deliveries_undelivered on deliveries (app_id, created_at, id)
  where outcome <> 'delivered' and created_at > '-infinity';

-- Read when a message is owed anew, and by the ledger for what came of that. Nearly every message is no replay.
create index outbox_replays on outbox (app_id, replay_of) where replay_of is not null;

-- Read when a message is owed anew, and by the ledger for what came of that.
create index deliveries_replays on deliveries (app_id, replay_of) where replay_of is not null;

-- ledger: is_owed is a constant of each half, so a statement that names it reads the one half only.
create or replace view ledger with (security_invoker = true) as
select app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, attempt_count, replay_of, trace, created_at,
       case when held_at is not null then 'held' when claim_number = 0 or ready then 'owed' else 'waiting' end as state,
       null::text as reason, due_at, expires_at, null::timestamptz as ended_at, true as is_owed
  from outbox
union all
select app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, attempt_count, replay_of, trace, created_at,
       outcome as state, reason, null::timestamptz as due_at, expires_at, ended_at, false as is_owed
  from deliveries;

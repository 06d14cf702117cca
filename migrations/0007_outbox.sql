-- outbox: what a committed change still owes the outside world.
--
-- A row is written in the transaction of the change that causes it, so a mail is owed exactly when the flow that
-- promised it was committed. It is deleted when its end is written to deliveries: what stands here is owed,
-- nothing else.
--
-- A row is ready (due_at is the moment it became so), or waits until due_at: for a retry, a schedule, or the end
-- of a lease. A claim makes it wait and raises claim_number, so a worker that dies needs no rescue: its message
-- falls due again. The claim number is also the fence: a worker that was too slow cannot settle a message that
-- someone else has claimed since.

create table outbox (
  app_id         uuid        not null references apps (id),
  id             uuid        not null,
  kind           text        not null,
  lane           text        not null,
  route          text        not null,
  flow_id        uuid,
  user_id        uuid,
  recipient_hash bytea,
  ready          boolean     not null,
  due_at         timestamptz not null,
  expires_at     timestamptz not null,
  held_at        timestamptz,
  claim_number   integer     not null default 0,
  attempt_count  integer     not null default 0,
  payload        jsonb       not null,
  unique_key     text,
  replay_of      uuid,
  trace          text,
  created_at     timestamptz not null,

  constraint outbox_pkey       primary key (app_id, id),
  constraint outbox_lane_known check (lane in ('interactive', 'notice', 'bulk'))
);

-- Read by the claim and the full look. The condition on app_id is there so that nothing else can use it.
create index outbox_turn on outbox (lane, app_id, due_at) where ready and held_at is null and app_id is not null;

-- Read by the discovery, which alone says due_at > '-infinity'.
create index outbox_new on outbox (lane, due_at) include (app_id)
  where ready and held_at is null and due_at > '-infinity';

-- Read by the promotion.
create index outbox_waiting on outbox (due_at) where not ready and held_at is null;

-- Read by the ledger and when a user's messages are cancelled.
create index outbox_user on outbox (app_id, user_id) where user_id is not null;

-- Merges equal messages that nobody has claimed yet; read by enqueue.
create unique index outbox_pending_key on outbox (app_id, unique_key)
  where claim_number = 0 and unique_key is not null;

alter table outbox enable row level security;
create policy outbox_of_app on outbox to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on outbox to gatepost_app;

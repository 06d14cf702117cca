-- audit_events: what happened, append-only, written in the transaction of the change itself.
--
-- transaction_id is the writing transaction's own: an export pages by it and takes only rows whose transaction
-- is older than every running one, because by id or time alone the row of a slower transaction is never seen.

create table audit_events (
  app_id         uuid        not null,
  id             uuid        not null,
  kind           text        not null,
  user_id        uuid,
  actor_kind     text        not null,
  actor_id       uuid,
  client_id      uuid,
  session_id     uuid,
  flow_id        uuid,
  reason         text,
  ip             text,
  user_agent     text,
  details        jsonb       not null,
  transaction_id xid8        not null default pg_current_xact_id(),
  created_at     timestamptz not null,

  constraint audit_events_pkey             primary key (app_id, id),
  constraint audit_events_kind_form        check (kind ~ '^[a-z_]+\.[a-z_]+$'),
  constraint audit_events_actor_kind_known check (actor_kind in ('user', 'anyone', 'operator', 'job', 'worker'))
);

-- Read by the audit list, newest first.
create index audit_events_time on audit_events (app_id, created_at, id);

-- Read by the audit list of one user.
create index audit_events_user on audit_events (app_id, user_id, created_at) where user_id is not null;

-- Read by the export, in the order in which transactions began.
create index audit_events_transaction on audit_events (app_id, transaction_id, id);

alter table audit_events enable row level security;
create policy audit_events_of_app on audit_events to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert on audit_events to gatepost_app;

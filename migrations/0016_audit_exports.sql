-- audit_exports: an app's audit trail, or a part of it, made into a file by a chain of messages.
--
-- Events are taken in the order (transaction_id, id), which only grows: the position says how far the file is, and a
-- worker that comes from another position writes nothing. horizon_id is the transaction that asked. The file has the
-- events of transactions that had begun before it, and the chain waits for the slow ones among them, because by id or
-- time alone the row of a slower transaction is never seen.
--
--   running ──▶ finished
--      └──────▶ failed
--
-- A row and its parts live until expires_at, whatever became of them.

create table audit_exports (
  app_id                  uuid        not null references apps (id),
  id                      uuid        not null,
  state                   text        not null,
  reason                  text,
  format                  text        not null,
  user_id                 uuid,
  kinds                   text[],
  since_at                timestamptz,
  until_at                timestamptz not null,
  -- Who asked; person_id is the user of the built-in app who is told, null for a program of an operator's. No foreign
  -- key, because that user is of another app.
  actor_kind              text        not null,
  actor_id                uuid        not null,
  person_id               uuid,
  horizon_id              xid8        not null,
  position_transaction_id xid8        not null,
  position_event_id       uuid        not null,
  part_count              integer     not null,
  row_count               bigint      not null,
  byte_count              bigint      not null,
  -- Of the whole file, SHA-256; what a file is called by.
  file_hash               bytea,
  created_at              timestamptz not null,
  finished_at             timestamptz,
  expires_at              timestamptz not null,

  constraint audit_exports_pkey           primary key (app_id, id),
  constraint audit_exports_state_known    check (state in ('running', 'finished', 'failed')),
  constraint audit_exports_format_known   check (format in ('ndjson', 'csv')),
  constraint audit_exports_actor_known    check (actor_kind in ('admin', 'api_key')),
  constraint audit_exports_finished_whole check ((state = 'finished') = (file_hash is not null)),
  constraint audit_exports_finished_dated check ((state = 'running') = (finished_at is null)),
  constraint audit_exports_failed_reason  check ((state = 'failed') = (reason is not null))
);

-- Read by the list of exports, newest first.
create index audit_exports_time on audit_exports (app_id, created_at, id);

-- Read by jobs/delete-expired-exports.sql.
create index audit_exports_expired on audit_exports (expires_at);

alter table audit_exports enable row level security;
create policy audit_exports_of_app on audit_exports to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on audit_exports to gatepost_app;

-- audit_export_parts: the file's bytes, in order; any node serves them.
--
-- Where a part ends means nothing: the file is all parts one after the other.
create table audit_export_parts (
  app_id      uuid    not null,
  export_id   uuid    not null,
  number      integer not null,
  byte_offset bigint  not null,
  bytes       bytea   not null,

  constraint audit_export_parts_pkey        primary key (app_id, export_id, number),
  constraint audit_export_parts_export_fkey foreign key (app_id, export_id) references audit_exports (app_id, id)
    on delete cascade
);

alter table audit_export_parts enable row level security;
create policy audit_export_parts_of_app on audit_export_parts to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert on audit_export_parts to gatepost_app;

-- The link that a mail to an admin carries is a flow of the built-in app; it says which export of which app it opens.
alter table flows
  drop constraint flows_kind_known,
  add constraint flows_kind_known check (kind in ('sign_up', 'admin_invitation', 'audit_export_download')),
  add column export_app_id uuid,
  add column export_id     uuid,
  add constraint flows_export_named check ((kind = 'audit_export_download') = (export_id is not null)),
  add constraint flows_export_whole check ((export_app_id is null) = (export_id is null));

-- Read by the audit list of one actor; only admins and their programs have an id.
create index audit_events_actor on audit_events (app_id, actor_id, created_at) where actor_id is not null;

create policy audit_exports_of_worker      on audit_exports      to gatepost_worker using (true);
create policy audit_export_parts_of_worker on audit_export_parts to gatepost_worker using (true);

-- update for `for update skip locked`, which asks for the right to update.
grant select, update, delete on audit_exports      to gatepost_worker;
grant select, update, delete on audit_export_parts to gatepost_worker;

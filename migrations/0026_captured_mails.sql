-- captured_mails: mails of apps in capture mode, which are kept to be read and not sent.
--
-- They hold links and codes that work. So content is sealed under the key ring like every secret, each read of one is
-- an audit event, and only apps that asked for it (capture_mails) have any: apps on which something is tested.
--
-- Bounded twice: an insert deletes all but the newest thousand of the app, and a job those that are a week old.

create table captured_mails (
  app_id         uuid        not null references apps (id),
  -- The message's: a mail is captured once.
  id             uuid        not null,
  kind           text        not null,
  user_id        uuid,
  flow_id        uuid,
  recipient      text        not null,
  content_sealed bytea       not null,
  captured_at    timestamptz not null,

  constraint captured_mails_pkey           primary key (app_id, id),
  constraint captured_mails_recipient_safe check (recipient ~ '^[!-;=?-~]+@[a-z0-9.-]+$'),
  constraint captured_mails_content_length check (octet_length(content_sealed) <= 1048576)
);

-- Read by the list of captured mails, newest first, and when the oldest make room.
create index captured_mails_time on captured_mails (app_id, captured_at, id);

-- Read by jobs/delete-captured-mails.sql.
create index captured_mails_captured on captured_mails (captured_at);

alter table captured_mails enable row level security;
create policy captured_mails_of_app on captured_mails to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, delete on captured_mails to gatepost_app;

create policy captured_mails_of_worker on captured_mails to gatepost_worker using (true);
-- update for `for update skip locked`, which asks for the right to update.
grant select, update, delete on captured_mails to gatepost_worker;

-- flows: short-lived attempts, such as a sign-up that waits for its address to be proved.
--
-- A flow keeps the hashes of its secrets, never the secrets: those are derived from the key ring under
-- secret_epoch whenever a mail is sent. A flow without a user is one for an address that already has an
-- account: it looks and costs the same and can never pass.
--
--   pending ──▶ passed
--      └──────▶ refused (superseded, code_attempts_exhausted, …)

create table flows (
  app_id             uuid        not null references apps (id),
  id                 uuid        not null,
  kind               text        not null,
  state              text        not null,
  reason             text,
  user_id            uuid,
  email              text        not null,
  auth_epoch         integer     not null,
  secret_epoch       smallint    not null,
  token_hash         bytea       not null,
  link_hash          bytea       not null,
  code_hash          bytea       not null,
  code_attempt_count integer     not null default 0,
  password_hash      text,
  created_at         timestamptz not null,
  expires_at         timestamptz not null,
  ended_at           timestamptz,

  constraint flows_pkey           primary key (app_id, id),
  constraint flows_user_fkey      foreign key (app_id, user_id) references users (app_id, id) on delete cascade,
  constraint flows_kind_known     check (kind in ('sign_up')),
  constraint flows_state_known    check (state in ('pending', 'passed', 'refused')),
  constraint flows_ended_dated    check ((state = 'pending') = (ended_at is null)),
  constraint flows_refused_reason check ((state = 'refused') = (reason is not null)),
  constraint flows_passed_user    check (state <> 'passed' or user_id is not null)
);

-- Read when a link is opened and when it is used.
create unique index flows_link on flows (app_id, link_hash);

-- Read when a new flow supersedes the pending ones of its address, whether or not that has a user.
create index flows_pending on flows (app_id, email) where state = 'pending';

-- Read by the foreign key to users.
create index flows_user on flows (app_id, user_id) where user_id is not null;

-- Read by jobs/delete-expired-flows.sql.
create index flows_expired on flows (expires_at);

alter table flows enable row level security;
create policy flows_of_app on flows to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on flows to gatepost_app;

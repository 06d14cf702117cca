-- admin_grants: what an admin may do, as a role for one app or for all.
--
-- An admin is a user of the built-in app with at least one row here; there is no second kind of user. A user has one
-- role for an app, and the owners are owners of everything: the installation can never be left without one.

create table admin_grants (
  app_id        uuid        not null,
  id            uuid        not null,
  user_id       uuid        not null,
  role          text        not null,
  -- Null for all apps. No foreign key, because apps are never deleted and the key would have to carry app_id.
  target_app_id uuid,
  created_at    timestamptz not null,

  constraint admin_grants_pkey         primary key (app_id, id),
  constraint admin_grants_user_fkey    foreign key (app_id, user_id) references users (app_id, id) on delete cascade,
  constraint admin_grants_role_known   check (role in ('owner', 'admin', 'support', 'auditor')),
  constraint admin_grants_owner_global check (role <> 'owner' or target_app_id is null)
);

-- Keeps one role a user and app; read when an admin is authenticated, and by the foreign key to users.
create unique index admin_grants_target on admin_grants (app_id, user_id, coalesce(target_app_id, app_id));

alter table admin_grants enable row level security;
create policy admin_grants_of_app on admin_grants to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on admin_grants to gatepost_app;

-- api_keys: what a program carries that uses the admin API; only a hash of it is here.
--
-- A key has one role, for one app or for all, and it ends: by its time, by revocation, or with the admin who made it,
-- because that person knows it. prefix is what a list shows, so that a key found in a log can be told.
create table api_keys (
  app_id        uuid        not null references apps (id),
  id            uuid        not null,
  name          text        not null,
  prefix        text        not null,
  key_hash      bytea       not null,
  role          text        not null,
  target_app_id uuid,
  -- The admin who made it; null for a key that an operator made at the command line.
  user_id       uuid,
  created_at    timestamptz not null,
  expires_at    timestamptz not null,
  revoked_at    timestamptz,

  constraint api_keys_pkey        primary key (app_id, id),
  constraint api_keys_user_fkey   foreign key (app_id, user_id) references users (app_id, id) on delete cascade,
  constraint api_keys_name_length check (char_length(name) between 1 and 100),
  -- A key that made owners would outlive every owner's departure.
  constraint api_keys_role_known  check (role in ('admin', 'support', 'auditor'))
);

-- Read when a key is presented.
create unique index api_keys_hash on api_keys (app_id, key_hash);

-- Read by the foreign key to users.
create index api_keys_user on api_keys (app_id, user_id) where user_id is not null;

alter table api_keys enable row level security;
create policy api_keys_of_app on api_keys to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on api_keys to gatepost_app;

-- Who may have done something: admins and their programs, too; actor_id is then the user or the key.
alter table audit_events
  drop constraint audit_events_actor_kind_known,
  add constraint audit_events_actor_kind_known check (actor_kind in
    ('user', 'anyone', 'operator', 'job', 'worker', 'admin', 'api_key'));

-- An admin may end a session by deactivating its user.
alter table sessions
  drop constraint sessions_end_reason_known,
  add constraint sessions_end_reason_known check (end_reason in
    ('signed_out', 'signed_out_everywhere', 'idle', 'expired', 'refresh_reused', 'code_reused', 'epoch',
     'user_deactivated'));

-- An expired idempotency key may be used anew before a sweep has deleted it; that of a refused write is given back.
grant update, delete on idempotency_keys to gatepost_app;

-- Read by the list of users, newest first.
create index users_time on users (app_id, created_at, id);

-- Read by the search for users whose address begins with a text. The byte order makes it usable under row-level
-- security: only leakproof comparisons are, and `like` is not one.
create index users_search on users (app_id, email collate "C");

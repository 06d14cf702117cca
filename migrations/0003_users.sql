-- users: the people of an app. The same address in two apps is two users.
--
-- auth_epoch is the generation counter: it is copied to every flow, code, session and refresh token, and raised
-- with each change that must end them (password, address, deactivation). What carries an older one is dead.

create table users (
  app_id            uuid        not null references apps (id),
  id                uuid        not null,
  email             text        not null,
  email_entered     text        not null,
  email_verified_at timestamptz,
  state             text        not null,
  auth_epoch        integer     not null,
  created_at        timestamptz not null,
  deactivated_at    timestamptz,

  constraint users_pkey              primary key (app_id, id),
  constraint users_email_key         unique (app_id, email),
  -- Printable ASCII without angle brackets: a second fence against commands smuggled into SMTP.
  constraint users_email_safe        check (email ~ '^[!-;=?-~]+@[a-z0-9.-]+$' and octet_length(email) <= 254),
  constraint users_email_entered_safe
    check (email_entered ~ '^[!-;=?-~]+@[a-z0-9.-]+$' and lower(email_entered) = email),
  constraint users_state_known       check (state in ('active', 'deactivated')),
  constraint users_deactivated_dated check ((state = 'deactivated') = (deactivated_at is not null))
);

alter table users enable row level security;
create policy users_of_app on users to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on users to gatepost_app;

-- credentials: what a user proves; today a password.
--
-- version changes with every new hash. A sign-in reads it before the hash is computed and checks it after, so a
-- password that was changed meanwhile signs nobody in.
create table credentials (
  app_id        uuid        not null,
  user_id       uuid        not null,
  kind          text        not null,
  password_hash text        not null,
  version       integer     not null,
  created_at    timestamptz not null,
  changed_at    timestamptz not null,

  constraint credentials_pkey       primary key (app_id, user_id, kind),
  constraint credentials_user_fkey  foreign key (app_id, user_id) references users (app_id, id) on delete cascade,
  constraint credentials_kind_known check (kind in ('password'))
);

alter table credentials enable row level security;
create policy credentials_of_app on credentials to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on credentials to gatepost_app;

-- sessions: a signed-in user on one device, until a time limit, a sign-out or a revocation ends it.
--
-- Every ending has a reason. A session is alive only if its row says so and its epoch is still the user's; the
-- job that ends stale ones only tidies.

create table sessions (
  app_id          uuid        not null,
  id              uuid        not null,
  user_id         uuid        not null,
  client_id       uuid        not null,
  auth_epoch      integer     not null,
  amr             text[]      not null,
  user_agent      text,
  ip              text,
  authenticated_at timestamptz not null,
  created_at      timestamptz not null,
  last_used_at    timestamptz not null,
  idle_expires_at timestamptz not null,
  expires_at      timestamptz not null,
  ended_at        timestamptz,
  end_reason      text,

  constraint sessions_pkey         primary key (app_id, id),
  constraint sessions_user_fkey    foreign key (app_id, user_id) references users (app_id, id) on delete cascade,
  constraint sessions_client_fkey  foreign key (app_id, client_id) references clients (app_id, id) on delete cascade,
  constraint sessions_ended_reason check ((ended_at is null) = (end_reason is null)),
  constraint sessions_end_reason_known check (end_reason in
    ('signed_out', 'signed_out_everywhere', 'idle', 'expired', 'refresh_reused', 'code_reused', 'epoch'))
);

-- Read when a user's sessions are ended together, and by the foreign key to users.
create index sessions_user on sessions (app_id, user_id);

-- Read by the foreign key to clients.
create index sessions_client on sessions (app_id, client_id);

-- Read by jobs/end-stale-sessions.sql.
create index sessions_stale on sessions (least(idle_expires_at, expires_at)) where ended_at is null;

alter table sessions enable row level security;
create policy sessions_of_app on sessions to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on sessions to gatepost_app;

-- token_families: the refresh tokens that descend from one sign-in; reuse of an old one ends the family.
create table token_families (
  app_id     uuid        not null,
  id         uuid        not null,
  session_id uuid        not null,
  client_id  uuid        not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at   timestamptz,
  end_reason text,

  constraint token_families_pkey         primary key (app_id, id),
  constraint token_families_session_fkey foreign key (app_id, session_id) references sessions (app_id, id)
    on delete cascade,
  constraint token_families_ended_reason check ((ended_at is null) = (end_reason is null))
);

-- Read when a session's families end with it, and by the foreign key to sessions.
create index token_families_session on token_families (app_id, session_id);

alter table token_families enable row level security;
create policy token_families_of_app on token_families to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on token_families to gatepost_app;

-- refresh_tokens: each exchanged once, for its successor.
--
-- successor_sealed repeats the answer of the latest exchange for the grace window. Its key is derived from the
-- presented token, of which only the hash is here, so a dump opens nothing.
create table refresh_tokens (
  app_id           uuid        not null,
  token_hash       bytea       not null,
  family_id        uuid        not null,
  generation       integer     not null,
  auth_epoch       integer     not null,
  created_at       timestamptz not null,
  expires_at       timestamptz not null,
  used_at          timestamptz,
  successor_hash   bytea,
  successor_sealed bytea,

  constraint refresh_tokens_pkey        primary key (app_id, token_hash),
  constraint refresh_tokens_family_fkey foreign key (app_id, family_id) references token_families (app_id, id)
    on delete cascade,
  constraint refresh_tokens_used_once   check ((used_at is null) = (successor_hash is null))
);

-- Keeps one token a generation; read by the foreign key to token_families.
create unique index refresh_tokens_generation on refresh_tokens (app_id, family_id, generation);

alter table refresh_tokens enable row level security;
create policy refresh_tokens_of_app on refresh_tokens to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on refresh_tokens to gatepost_app;

-- authorization_codes: what a sign-in answers with; exchanged once, within a minute, by the client that asked.
--
-- Kept for a day after it expired, so that a second use is still recognised and ends what the first one gave.
create table authorization_codes (
  app_id           uuid        not null,
  code_hash        bytea       not null,
  client_id        uuid        not null,
  user_id          uuid        not null,
  auth_epoch       integer     not null,
  redirect_uri     text        not null,
  code_challenge   text        not null,
  amr              text[]      not null,
  authenticated_at timestamptz not null,
  created_at       timestamptz not null,
  expires_at       timestamptz not null,
  redeemed_at      timestamptz,
  session_id       uuid,

  constraint authorization_codes_pkey          primary key (app_id, code_hash),
  constraint authorization_codes_user_fkey     foreign key (app_id, user_id) references users (app_id, id)
    on delete cascade,
  constraint authorization_codes_client_fkey   foreign key (app_id, client_id) references clients (app_id, id)
    on delete cascade,
  constraint authorization_codes_redeemed_once check ((redeemed_at is null) = (session_id is null))
);

-- Read by the foreign key to users.
create index authorization_codes_user on authorization_codes (app_id, user_id);

-- Read by the foreign key to clients.
create index authorization_codes_client on authorization_codes (app_id, client_id);

-- Read by jobs/delete-expired-codes.sql.
create index authorization_codes_expired on authorization_codes (expires_at);

alter table authorization_codes enable row level security;
create policy authorization_codes_of_app on authorization_codes to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on authorization_codes to gatepost_app;

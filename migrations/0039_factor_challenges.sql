-- factor_challenges: sign-ins in which a first factor was proved, and which wait ten minutes for the second one.
--
-- A row says all that the end of the sign-in needs: who it is and by what, the client's request or the account's pages,
-- and which session of the browser the new one takes the place of. session_id is the session that answered for the
-- first factor, where nobody typed one. A challenge belongs to whoever holds its token, of which the hash is here.
create table factor_challenges (
  app_id              uuid        not null,
  id                  uuid        not null,
  token_hash          bytea       not null,
  user_id             uuid        not null,
  auth_epoch          integer     not null,
  request_id          uuid,
  holder_hash         bytea,
  is_hosted           boolean     not null,
  replaces_session_id uuid,
  session_id          uuid,
  amr                 text[]      not null,
  authenticated_at    timestamptz not null,
  attempt_count       integer     not null,
  enrolled_at         timestamptz,
  passed_at           timestamptz,
  created_at          timestamptz not null,
  expires_at          timestamptz not null,

  constraint factor_challenges_pkey         primary key (app_id, id),
  constraint factor_challenges_user_fkey    foreign key (app_id, user_id) references users (app_id, id)
    on delete cascade,
  constraint factor_challenges_request_held check (request_id is null or holder_hash is not null)
);

-- Read by the foreign key to users.
create index factor_challenges_user on factor_challenges (app_id, user_id);

-- Read by jobs/delete-expired-factor-challenges.sql.
create index factor_challenges_expired on factor_challenges (expires_at);

alter table factor_challenges enable row level security;
create policy factor_challenges_of_app on factor_challenges to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on factor_challenges to gatepost_app;

create policy factor_challenges_of_worker on factor_challenges to gatepost_worker using (true);
-- update for `for update skip locked`, which asks for the right to update.
grant select, update, delete on factor_challenges to gatepost_worker;

-- A client may ask for a second factor, and a role of an app's may require one of whoever has it.
alter table authorization_requests add column requires_factor boolean not null default false;
alter table roles                  add column requires_factor boolean not null default false;

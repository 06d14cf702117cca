-- provider_sign_ins: ways to a provider for which no client's page waits.
--
-- A way is for one of three things: a client's request, the account's own pages (neither request nor user), or a user
-- who is signed in and wants the identity linked: then user, session and epoch are those of whoever asked.
--
-- Where an app with screens of its own asked, the browser is sent back to redirect_uri. Such a way is held by its state
-- instead of a browser's cookie: browser_hash is the state's. An identity to be linked waits there under code_hash,
-- until the session that asked redeems the code.
alter table provider_sign_ins
  alter column request_id drop not null,
  add column user_id      uuid,
  add column session_id   uuid,
  add column auth_epoch   integer,
  add column redirect_uri text,
  add column client_state text,
  add column code_hash    bytea,
  add column linked_at    timestamptz,
  drop constraint provider_sign_ins_proven_whole,
  add constraint provider_sign_ins_user_fkey foreign key (app_id, user_id)
    references users (app_id, id) on delete cascade,
  -- Whoever links need not have the address that the provider tells, which may tell none.
  add constraint provider_sign_ins_proven_whole check
    ((proven_at is null) = (subject is null) and (proven_at is null) = (identity_id is null)
     and (proven_at is null or user_id is not null or (email is not null and email_is_verified is not null))),
  add constraint provider_sign_ins_one_purpose  check (request_id is null or user_id is null),
  add constraint provider_sign_ins_user_whole   check
    ((user_id is null) = (session_id is null) and (user_id is null) = (auth_epoch is null)),
  add constraint provider_sign_ins_state_back   check (client_state is null or redirect_uri is not null),
  add constraint provider_sign_ins_code_proven  check
    (code_hash is null or (proven_at is not null and user_id is not null and redirect_uri is not null)),
  add constraint provider_sign_ins_linked_user  check
    (linked_at is null or (proven_at is not null and user_id is not null));

-- Read by the foreign key to users.
create index provider_sign_ins_user on provider_sign_ins (app_id, user_id) where user_id is not null;

-- Read when a sign-in to the account's pages ends that a proven identity waits for.
create index provider_sign_ins_browser on provider_sign_ins (app_id, browser_hash) where request_id is null;

-- Keeps a code one way's alone; read when an app redeems it.
create unique index provider_sign_ins_code on provider_sign_ins (app_id, code_hash) where code_hash is not null;

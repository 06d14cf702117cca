-- identity_providers: who else may say who a person is, for one app.
--
-- issuer is the string that the provider's tokens must name, byte for byte; an app has one provider of an issuer. The
-- secret is sealed for its row: a client secret, or the private key with which one is made (Apple).

create table identity_providers (
  app_id            uuid        not null references apps (id),
  id                uuid        not null,
  -- Part of the redirect URI, so it is never changed.
  name              text        not null,
  kind              text        not null,
  label             text        not null,
  issuer            text        not null,
  client_id         text        not null,
  secret_sealed     bytea       not null,
  scopes            text[]      not null,
  -- Which of Apple's keys the secret is, and whose it is.
  team_id           text,
  key_id            text,
  allows_sign_up    boolean     not null,
  keeps_tokens      boolean     not null,
  state             text        not null,
  created_at        timestamptz not null,
  changed_at        timestamptz not null,
  secret_changed_at timestamptz not null,
  disabled_at       timestamptz,

  constraint identity_providers_pkey           primary key (app_id, id),
  constraint identity_providers_name_key       unique (app_id, name),
  constraint identity_providers_issuer_key     unique (app_id, issuer),
  constraint identity_providers_name_plain     check (name ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  constraint identity_providers_kind_known     check (kind in ('openid', 'google', 'apple', 'microsoft', 'github')),
  constraint identity_providers_label_length   check (char_length(label) between 1 and 60),
  constraint identity_providers_issuer_safe
    check (issuer ~ '^https?://[][a-z0-9.:-]+(/[!-~]*)?$' and octet_length(issuer) <= 500),
  constraint identity_providers_client_id_safe
    check (client_id ~ '^[!-~]+$' and octet_length(client_id) <= 255),
  constraint identity_providers_scopes_few     check (cardinality(scopes) between 1 and 20),
  constraint identity_providers_apple_whole
    check ((kind = 'apple') = (team_id is not null) and (team_id is null) = (key_id is null)),
  constraint identity_providers_state_known    check (state in ('enabled', 'disabled')),
  constraint identity_providers_disabled_dated check ((state = 'disabled') = (disabled_at is not null))
);

alter table identity_providers enable row level security;
create policy identity_providers_of_app on identity_providers to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on identity_providers to gatepost_app;

-- user_identities: who a user is with a provider.
--
-- The identity is (app, issuer, subject), and never an address, which a provider may give to somebody else. It outlives
-- its provider's row: set up anew under the same issuer, the people are known again.
create table user_identities (
  app_id         uuid        not null,
  id             uuid        not null,
  user_id        uuid        not null,
  issuer         text        not null,
  subject        text        not null,
  -- As the provider last told it; nothing is decided by it.
  email          text,
  -- The provider's tokens, only where its settings ask for them.
  tokens_sealed  bytea,
  created_at     timestamptz not null,
  last_used_at   timestamptz not null,

  constraint user_identities_pkey           primary key (app_id, id),
  constraint user_identities_user_fkey      foreign key (app_id, user_id) references users (app_id, id)
    on delete cascade,
  constraint user_identities_subject_key    unique (app_id, issuer, subject),
  constraint user_identities_user_key       unique (app_id, user_id, issuer),
  constraint user_identities_subject_length check (octet_length(subject) between 1 and 255)
);

alter table user_identities enable row level security;
create policy user_identities_of_app on user_identities to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on user_identities to gatepost_app;

-- provider_sign_ins: one way of a browser to a provider and back.
--
-- The state in the address is kept as its hash; nonce and PKCE verifier are derived from the key ring under
-- secret_epoch. consumed_at is set by whoever of any number of racing callbacks is first. What the provider then
-- proved is kept where it does not lead to a user yet: subject and email wait for their owner to prove the account.
create table provider_sign_ins (
  app_id            uuid        not null,
  id                uuid        not null,
  provider_id       uuid        not null,
  request_id        uuid        not null,
  state_hash        bytea       not null,
  browser_hash      bytea       not null,
  secret_epoch      smallint    not null,
  created_at        timestamptz not null,
  expires_at        timestamptz not null,
  consumed_at       timestamptz,
  proven_at         timestamptz,
  -- The row that the identity will have, for which its tokens are sealed.
  identity_id       uuid,
  subject           text,
  email             text,
  email_is_verified boolean,
  tokens_sealed     bytea,

  constraint provider_sign_ins_pkey          primary key (app_id, id),
  constraint provider_sign_ins_provider_fkey foreign key (app_id, provider_id)
    references identity_providers (app_id, id) on delete cascade,
  constraint provider_sign_ins_request_fkey  foreign key (app_id, request_id)
    references authorization_requests (app_id, id) on delete cascade,
  constraint provider_sign_ins_proven_whole  check
    ((proven_at is null) = (subject is null) and (proven_at is null) = (email is null)
     and (proven_at is null) = (identity_id is null) and (proven_at is null) = (email_is_verified is null)),
  constraint provider_sign_ins_proven_once   check (proven_at is null or consumed_at is not null)
);

-- Keeps a state one way's alone; read when the provider sends the browser back.
create unique index provider_sign_ins_state on provider_sign_ins (app_id, state_hash);

-- Read when a sign-in ends that a proven identity waits for, and by the foreign key to authorization_requests.
create index provider_sign_ins_request on provider_sign_ins (app_id, request_id);

-- Read by the foreign key to identity_providers.
create index provider_sign_ins_provider on provider_sign_ins (app_id, provider_id);

-- Read by jobs/delete-expired-provider-sign-ins.sql.
create index provider_sign_ins_expired on provider_sign_ins (expires_at);

alter table provider_sign_ins enable row level security;
create policy provider_sign_ins_of_app on provider_sign_ins to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on provider_sign_ins to gatepost_app;

create policy provider_sign_ins_of_worker on provider_sign_ins to gatepost_worker using (true);

-- update for `for update skip locked`, which asks for the right to update.
grant select, update, delete on provider_sign_ins to gatepost_worker;

-- subject_secrets: from which an app's pairwise subjects are computed (OpenID Connect Core, section 8.1).
--
-- One an app, sealed.
--
-- It is made when the first client of the app wants them and is never replaced: with another one every user would be
-- somebody else to these clients.

create table subject_secrets (
  app_id        uuid        not null references apps (id),
  secret_sealed bytea       not null,
  created_at    timestamptz not null,

  constraint subject_secrets_pkey primary key (app_id)
);

alter table subject_secrets enable row level security;
create policy subject_secrets_of_app on subject_secrets to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on subject_secrets to gatepost_app;

-- sector is whose a client is as far as subjects go: clients of one sector know a user by the same subject, others by
-- another one. Null for a client that knows users by their ids.
alter table clients
  add column sector text,
  add constraint clients_sector_length check (octet_length(sector) between 1 and 2000);

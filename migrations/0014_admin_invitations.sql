-- admin_invitations: which role a mail of kind admin_invitation gives to whoever accepts it.
--
-- The flow is what lives and ends; this says what it is about. It goes with its flow.

create table admin_invitations (
  app_id        uuid not null,
  flow_id       uuid not null,
  role          text not null,
  -- Null for all apps.
  target_app_id uuid,
  -- The admin who invited; null for an operator. An invitation is worth no more than its maker is when it is accepted.
  user_id       uuid,

  constraint admin_invitations_pkey         primary key (app_id, flow_id),
  constraint admin_invitations_flow_fkey    foreign key (app_id, flow_id) references flows (app_id, id)
                                            on delete cascade,
  constraint admin_invitations_user_fkey    foreign key (app_id, user_id) references users (app_id, id)
                                            on delete cascade,
  constraint admin_invitations_role_known   check (role in ('owner', 'admin', 'support', 'auditor')),
  constraint admin_invitations_owner_global check (role <> 'owner' or target_app_id is null)
);

-- Read by the foreign key to users.
create index admin_invitations_user on admin_invitations (app_id, user_id) where user_id is not null;

alter table admin_invitations enable row level security;
create policy admin_invitations_of_app on admin_invitations to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert on admin_invitations to gatepost_app;

-- An invitation is a flow like any other.
alter table flows
  drop constraint flows_kind_known,
  add constraint flows_kind_known check (kind in ('sign_up', 'admin_invitation'));

-- Read by the list of API keys, newest first.
create index api_keys_time on api_keys (app_id, created_at, id);

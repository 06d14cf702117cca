-- roles: what an app's users may do in the app, in its own words: a name and a set of permissions.
--
-- Gatepost gives them no meaning. They are put into tokens where the app asks for it (roles_in_tokens), so names and
-- permissions are of characters that stand in JSON as they are, and an app has few enough of them that a token stays
-- small. The roles of admins are something else: admin_grants.

create table roles (
  app_id      uuid        not null references apps (id),
  id          uuid        not null,
  name        text        not null,
  description text        not null,
  permissions text[]      not null,
  created_at  timestamptz not null,
  changed_at  timestamptz not null,

  constraint roles_pkey               primary key (app_id, id),
  constraint roles_name_key           unique (app_id, name),
  constraint roles_name_safe          check (name ~ '^[a-z][a-z0-9_.:-]{0,39}$'),
  constraint roles_description_length check (char_length(description) <= 200),
  constraint roles_permissions_safe
    check (array_to_string(permissions, ' ') ~ '^([a-z][a-z0-9_.:*/-]{0,63}( [a-z][a-z0-9_.:*/-]{0,63})*)?$')
);

alter table roles enable row level security;
create policy roles_of_app on roles to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on roles to gatepost_app;

-- user_roles: who has which role.
create table user_roles (
  app_id      uuid        not null,
  user_id     uuid        not null,
  role_id     uuid        not null,
  assigned_at timestamptz not null,

  constraint user_roles_pkey      primary key (app_id, user_id, role_id),
  constraint user_roles_user_fkey foreign key (app_id, user_id) references users (app_id, id) on delete cascade,
  constraint user_roles_role_fkey foreign key (app_id, role_id) references roles (app_id, id) on delete cascade
);

-- Read when a role is deleted, by the foreign key to roles, and when the users of a role are listed.
create index user_roles_role on user_roles (app_id, role_id, user_id);

alter table user_roles enable row level security;
create policy user_roles_of_app on user_roles to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, delete on user_roles to gatepost_app;

-- A session may be ended from another one, or by an admin. Which reasons there are is the code's list from here on: a
-- migration for each would lock the table.
alter table sessions
  drop constraint sessions_end_reason_known,
  add constraint sessions_end_reason_known check (end_reason ~ '^[a-z]+(_[a-z]+)*$') not valid;

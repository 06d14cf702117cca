-- apps: the boundary of everything; users, keys, mail and audit belong to one app.
--
-- The one table besides job_runs whose key does not begin with app_id: it is what app_id refers to. Its policy
-- shows a scoped statement its own app only, so an app is even created within its own scope.
--
-- The built-in app gatepost is made here. Its users are the admins, and what concerns no app is owed in its
-- name, so there is no second kind of user and no second kind of message.

create table apps (
  id           uuid        not null,
  name         text        not null,
  state        text        not null,
  settings     jsonb       not null,
  created_at   timestamptz not null,
  suspended_at timestamptz,

  constraint apps_pkey            primary key (id),
  constraint apps_name_length     check (char_length(name) between 1 and 100),
  constraint apps_state_known     check (state in ('active', 'suspended')),
  constraint apps_suspended_dated check ((state = 'suspended') = (suspended_at is not null)),
  constraint apps_settings_object check (jsonb_typeof(settings) = 'object')
);

alter table apps enable row level security;
create policy apps_of_app on apps to gatepost_app
  using (id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on apps to gatepost_app;

insert into apps (id, name, state, settings, created_at)
values ('00000000-0000-7000-8000-000000000000', 'gatepost', 'active', '{}', now());

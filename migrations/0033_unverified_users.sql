-- The end of users who have never proved their address: what the job needs that deletes them.

-- Read by jobs/delete-unverified-users.sql.
create index users_unverified on users (created_at)
  where email_verified_at is null and state = 'active';

-- Whoever has one of these came in another way, or was given something: the job leaves them alone.
create policy user_identities_of_worker on user_identities for select to gatepost_worker using (true);
create policy user_roles_of_worker      on user_roles      for select to gatepost_worker using (true);
create policy admin_grants_of_worker    on admin_grants    for select to gatepost_worker using (true);

grant select on user_identities to gatepost_worker;
grant select on user_roles      to gatepost_worker;
grant select on admin_grants    to gatepost_worker;

-- Of the users only these can be locked and deleted by a worker, and none can be changed: `for update skip locked` asks
-- for the right to update, which the check then refuses.
create policy users_locked_by_worker  on users for update to gatepost_worker
  using (email_verified_at is null) with check (false);
create policy users_deleted_by_worker on users for delete to gatepost_worker
  using (email_verified_at is null);

grant update, delete on users to gatepost_worker;

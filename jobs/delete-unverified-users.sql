-- Deletes users who have never proved their address, a month after they came about.
--
-- A sign-up makes its user at once, and its mail may go to nobody. Such a user can do nothing and holds nothing: the
-- password waits in the flow, and the flow is gone after two days. Without this, anybody could fill the table with
-- other people's addresses. The address itself is free all the time: a new sign-up meets the user that waits, or
-- makes another one.
--
-- A user stays as long as a flow may still verify them. Whoever has an identity with a provider or a session came in
-- without an address; whoever has a role was given it by an admin; whoever was deactivated is to stay so: they stay
-- too. The look-ups are one by key each, behind `offset 0`: as joins, the planner may read whole tables.
--
-- schedule:  40 4 * * *
-- batch:     500
-- retention: 30 days
-- timeout:   30 seconds

with gone as (
       delete from users
        where ctid = any (array(
                select u.ctid
                  from users as u
                 where u.email_verified_at is null
                   and u.state = 'active'
                   and u.created_at < :'now'::timestamptz - :'retention'::interval
                   and not exists (
                         select from flows as f
                          where f.app_id = u.app_id and f.user_id = u.id
                            and f.state = 'pending' and f.expires_at > :'now'::timestamptz
                         offset 0)
                   and not exists (
                         select from user_identities as i
                          where i.app_id = u.app_id and i.user_id = u.id
                         offset 0)
                   and not exists (
                         select from sessions as s
                          where s.app_id = u.app_id and s.user_id = u.id
                         offset 0)
                   and not exists (
                         select from user_roles as r
                          where r.app_id = u.app_id and r.user_id = u.id
                         offset 0)
                   and not exists (
                         select from admin_grants as g
                          where g.app_id = u.app_id and g.user_id = u.id
                         offset 0)
                 order by u.created_at
                 limit :batch
                   for update of u skip locked))
       returning app_id, id)
insert into audit_events (app_id, id, kind, user_id, actor_kind, reason, details, created_at)
select app_id, gen_random_uuid(), 'user.deleted', id, 'job', 'never_verified', '{}', :'now'
  from gone
returning app_id;

-- Deletes sessions a month after they ended: their refresh tokens in batches, then the sessions with their families.
--
-- The month is kept so that support can still see when and why a session ended; the audit trail says so for longer.
-- After it, a token of the session is unknown and is refused like any other. A client that refreshes every ten minutes
-- leaves 13,000 tokens in a session of 90 days, so one statement must not delete them all: a session goes once no token
-- of its is left, with a later batch or a later run, and takes its families along (the foreign key does it).
--
-- `offset 0` keeps each look-up one by key: as a join, the planner may read all tokens when it believes there are few.
--
-- schedule:  9-59/15 * * * *
-- batch:     500
-- retention: 30 days
-- timeout:   30 seconds

with ended as materialized (
       select app_id, id, ctid as spot
         from sessions
        where ended_at < :'now'::timestamptz - :'retention'::interval
        order by ended_at
        limit :batch
          for update skip locked),
     tokens as (
       delete from refresh_tokens
        where ctid = any (array(
                select t.spot
                  from ended as e
                 cross join lateral (
                         select app_id, id
                           from token_families
                          where app_id = e.app_id and session_id = e.id
                         offset 0) as f
                 cross join lateral (
                         select ctid as spot
                           from refresh_tokens
                          where app_id = f.app_id and family_id = f.id
                          limit :batch
                            for update skip locked) as t
                 limit :batch))
       returning app_id),
     gone as (
       delete from sessions
        where ctid = any (array(
                select e.spot
                  from ended as e
                 where not exists (
                         select from token_families as f
                          cross join lateral (
                                  select from refresh_tokens
                                   where app_id = f.app_id and family_id = f.id
                                  offset 0) as t
                          where f.app_id = e.app_id and f.session_id = e.id
                         offset 0)))
       returning app_id)
select done.app_id
  from (select app_id from tokens
         union all
        select app_id from gone) as done
 order by done.app_id;

-- Deletes sign-ins that waited for a second factor a day after they expired.
--
-- A challenge can be passed for ten minutes, which every read checks itself. The day is kept so that support can still
-- see how far somebody came.
--
-- schedule:  4-59/5 * * * *
-- batch:     500
-- retention: 24 hours
-- timeout:   10 seconds

delete from factor_challenges
 where ctid = any (array(
         select ctid
           from factor_challenges
          where expires_at < :'now'::timestamptz - :'retention'::interval
          order by expires_at
          limit :batch
            for update skip locked))
returning app_id;

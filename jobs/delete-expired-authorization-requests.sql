-- Deletes what clients asked for, an hour after it expired, answered or not.
--
-- A request lives for an hour, and every read checks that itself. Whoever comes back later is told that the sign-in
-- is too old, and is told the same when the row is gone: the hour is kept so that support can see what was asked.
--
-- schedule:  4-59/5 * * * *
-- batch:     500
-- retention: 1 hour
-- timeout:   10 seconds

delete from authorization_requests
 where ctid = any (array(
         select ctid
           from authorization_requests
          where expires_at < :'now'::timestamptz - :'retention'::interval
          order by expires_at
          limit :batch
            for update skip locked))
returning app_id;

-- Deletes what clients have pushed, an hour after it expired, used or not.
--
-- A pushed request lives for a minute, and is refused by itself from then on. The hour is kept so that support can see
-- what was asked.
--
-- schedule:  0-59/5 * * * *
-- batch:     500
-- retention: 1 hour
-- timeout:   10 seconds

delete from pushed_requests
 where ctid = any (array(
         select ctid
           from pushed_requests
          where expires_at < :'now'::timestamptz - :'retention'::interval
          order by expires_at
          limit :batch
            for update skip locked))
returning app_id;

-- Deletes the counts of rate limits whose window has passed.
--
-- A count is only looked at within its window. The minutes are kept because the clocks of two nodes may differ a
-- little: the slower one must not find its last window empty.
--
-- schedule:  6-59/10 * * * *
-- batch:     1000
-- retention: 5 minutes
-- timeout:   10 seconds

delete from rate_limits
 where ctid = any (array(
         select ctid
           from rate_limits
          where expires_at < :'now'::timestamptz - :'retention'::interval
          order by expires_at
          limit :batch
            for update skip locked))
returning app_id;

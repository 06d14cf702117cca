-- Deletes idempotency keys whose day is over.
--
-- A key that has expired is used anew by whoever comes with it, so its row says nothing any more.
--
-- schedule: 4-59/10 * * * *
-- batch:    1000
-- timeout:  10 seconds

delete from idempotency_keys
 where ctid = any (array(
         select ctid
           from idempotency_keys
          where expires_at <= :'now'::timestamptz
          order by expires_at
          limit :batch
            for update skip locked))
returning app_id;

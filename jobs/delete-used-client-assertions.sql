-- Deletes the marks of signed proofs of clients, once the proofs have expired.
--
-- A proof works once: its mark says that it was used. A proof that has expired is refused by itself; the minutes are
-- kept because the clocks of two nodes may differ a little.
--
-- schedule:  1-59/5 * * * *
-- batch:     500
-- retention: 5 minutes
-- timeout:   10 seconds

delete from client_assertions
 where ctid = any (array(
         select ctid
           from client_assertions
          where expires_at < :'now'::timestamptz - :'retention'::interval
          order by expires_at
          limit :batch
            for update skip locked))
returning app_id;

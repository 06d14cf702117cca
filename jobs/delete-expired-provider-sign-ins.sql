-- Deletes ways to a provider and back a day after they expired.
--
-- A browser has ten minutes to come back, and what the provider proved then waits for an hour: every read checks that
-- itself. The day is kept so that support can still see how far somebody came. An identity that came of it has a row of
-- its own.
--
-- schedule:  3-59/5 * * * *
-- batch:     500
-- retention: 24 hours
-- timeout:   10 seconds

delete from provider_sign_ins
 where ctid = any (array(
         select ctid
           from provider_sign_ins
          where expires_at < :'now'::timestamptz - :'retention'::interval
          order by expires_at
          limit :batch
            for update skip locked))
returning app_id;

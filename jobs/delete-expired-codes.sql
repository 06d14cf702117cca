-- Deletes authorization codes a day after they expired, whether they were redeemed or not.
--
-- A code lives for a minute. Its row is kept for a day more, so that a second use is still recognised as one and
-- ends the session that the first use gave (RFC 6749, section 4.1.2); after that it is an unknown code and is
-- refused like any other.
--
-- schedule:  2-59/5 * * * *
-- batch:     500
-- retention: 24 hours
-- timeout:   10 seconds

delete from authorization_codes
 where ctid = any (array(
         select ctid
           from authorization_codes
          where expires_at < :'now'::timestamptz - :'retention'::interval
          order by expires_at
          limit :batch
            for update skip locked))
returning app_id;

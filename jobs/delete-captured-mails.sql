-- Deletes captured mails a week after they were captured.
--
-- An app in capture mode keeps its mails to be read instead of sending them; its newest thousand, and none for longer
-- than this. Every read looks at the age itself, so this job only makes room.
--
-- schedule:  24-59/30 * * * *
-- batch:     500
-- retention: 7 days
-- timeout:   10 seconds

delete from captured_mails
 where ctid = any (array(
         select ctid
           from captured_mails
          where captured_at < :'now'::timestamptz - :'retention'::interval
          order by captured_at
          limit :batch
            for update skip locked))
returning app_id;

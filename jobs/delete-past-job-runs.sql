-- Deletes the records of runs that are a month old, but for the last one of each job.
--
-- A job of every minute leaves 43,000 rows a month. The last one of each stays, whatever its age, so that the list
-- of jobs still says when a rare one ran.
--
-- schedule:  45 * * * *
-- batch:     1000
-- retention: 30 days
-- timeout:   10 seconds

delete from job_runs
 where ctid = any (array(
         select ctid
           from job_runs as r
          where due_at < :'now'::timestamptz - :'retention'::interval
            and exists (select from job_runs as later
                         where later.job = r.job and later.due_at > r.due_at
                        offset 0)
          order by due_at
          limit :batch
            for update skip locked))
returning null::uuid as app_id;

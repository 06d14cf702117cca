-- Deletes audit exports whose time is over: their parts in batches, then the rows themselves.
--
-- A file of a million events has hundreds of parts of a mebibyte, so one statement must not delete them all. An
-- export's own row goes once no part is left, with a later batch or a later run: it is small, and every read checks
-- the expiry itself. Parts are found export by export through the primary key.
--
-- schedule:  25 * * * *
-- batch:     50
-- timeout:   30 seconds

with parts as (
       delete from audit_export_parts
        where ctid = any (array(
                select p.ctid
                  from audit_exports as e
                 cross join lateral (
                         select ctid
                           from audit_export_parts
                          where app_id = e.app_id and export_id = e.id
                          limit :batch
                            for update skip locked) as p
                 where e.expires_at < :'now'::timestamptz
                 limit :batch))
       returning app_id),
     exports as (
       delete from audit_exports
        where ctid = any (array(
                select e.ctid
                  from audit_exports as e
                 where e.expires_at < :'now'::timestamptz
                   and not exists (select from audit_export_parts as p
                                    where p.app_id = e.app_id and p.export_id = e.id
                                   offset 0)
                 order by e.expires_at
                 limit :batch
                   for update skip locked))
       returning app_id)
select done.app_id
  from (select app_id from parts
         union all
        select app_id from exports) as done
 order by done.app_id;

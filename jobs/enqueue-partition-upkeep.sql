-- Asks a worker to make the partitions of the days to come and to drop those that no app needs.
--
-- That is DDL, which no job may do: a worker does it as the tables' owner. It is owed in the name of the built-in app,
-- because it concerns no app. Partitions are made a week ahead, so a day without a worker costs nothing; after a longer
-- gap the rows are in the default partition, and the upkeep moves them. One that waits to be claimed is enough.
--
-- schedule: 35 */6 * * *
-- batch:    10
-- timeout:  10 seconds

insert into outbox (app_id, id, kind, lane, route, payload, unique_key, ready, due_at, expires_at, created_at)
select id, gen_random_uuid(), 'partition.upkeep', 'notice', 'local', '{}', 'partition upkeep',
       true, :'now', :'now'::timestamptz + interval '1 day', :'now'
  from apps
 where id = '00000000-0000-7000-8000-000000000000'
 limit :batch
on conflict (app_id, unique_key) where claim_number = 0 and unique_key is not null do nothing
returning app_id;

-- job_runs: which job ran for which due time, and what it did.
--
-- Inserting the pair claims the run: any number of workers schedule, the first one wins, there is no leader.
-- Global by nature: a run covers all apps.

create table job_runs (
  job           text        not null,
  due_at        timestamptz not null,
  started_at    timestamptz not null,
  finished_at   timestamptz,
  row_count     bigint      not null default 0,
  batch_count   integer     not null default 0,
  error         text,

  constraint job_runs_pkey primary key (job, due_at)
);

alter table job_runs enable row level security;

-- What keeps the tables from growing without end: indexes for the jobs that delete, and the worker's rights to.

-- Read by jobs/delete-past-job-runs.sql.
create index job_runs_due on job_runs (due_at);

-- When an endpoint began to fail without a success since, and when it last did; both null once a notice was taken.
-- Written by the worker at an attempt, the latter not more often than once an hour.
alter table webhook_endpoints
  add column first_failed_at timestamptz,
  add column last_failed_at  timestamptz,
  add constraint webhook_endpoints_failed_dated check ((first_failed_at is null) = (last_failed_at is null)),
  drop constraint webhook_endpoints_disabled_reason_known,
  add constraint webhook_endpoints_disabled_reason_known check (disabled_reason in ('by_admin', 'gone', 'failing'));

-- Read by jobs/disable-failing-webhook-endpoints.sql.
create index webhook_endpoints_failing on webhook_endpoints (first_failed_at)
  where state = 'enabled' and first_failed_at is not null;

-- History stays insert-only: nobody may update it, and it is deleted by the job for an app's own retention alone.
-- Without update, these jobs cannot lock what they delete; a second run meets rows that are gone, and ends.
grant delete on deliveries        to gatepost_worker;
grant delete on delivery_attempts to gatepost_worker;
grant delete on audit_events      to gatepost_worker;

drop policy webhook_endpoints_of_worker on webhook_endpoints;
create policy webhook_endpoints_of_worker on webhook_endpoints to gatepost_worker using (true);
create policy refresh_tokens_of_worker    on refresh_tokens    to gatepost_worker using (true);
create policy idempotency_keys_of_worker  on idempotency_keys  to gatepost_worker using (true);
create policy rate_limits_of_worker       on rate_limits       to gatepost_worker using (true);

-- update for `for update skip locked`, which asks for the right to update.
grant update                 on webhook_endpoints to gatepost_worker;
grant select, update, delete on refresh_tokens    to gatepost_worker;
grant select, update, delete on idempotency_keys  to gatepost_worker;
grant select, update, delete on rate_limits       to gatepost_worker;
grant delete                 on sessions          to gatepost_worker;
grant delete                 on job_runs          to gatepost_worker;

-- What gatepost_worker may do: the one list of its grants and policies.
--
-- Workers and jobs act across apps, so the role has a policy of its own on each table named here and reaches
-- nothing else, whatever a file in jobs/ says. It has no BYPASSRLS, which a managed Postgres does not give.

create policy apps_of_worker              on apps                for select to gatepost_worker using (true);
create policy users_of_worker             on users               for select to gatepost_worker using (true);
create policy flows_of_worker             on flows               to gatepost_worker using (true);
create policy sessions_of_worker          on sessions            to gatepost_worker using (true);
create policy token_families_of_worker    on token_families      to gatepost_worker using (true);
create policy authorization_codes_of_worker on authorization_codes to gatepost_worker using (true);
create policy signing_keys_of_worker      on signing_keys        to gatepost_worker using (true);
create policy outbox_of_worker            on outbox              to gatepost_worker using (true) with check (true);
create policy deliveries_of_worker        on deliveries          to gatepost_worker using (true) with check (true);
create policy delivery_attempts_of_worker on delivery_attempts   to gatepost_worker using (true) with check (true);
create policy audit_events_of_worker      on audit_events        to gatepost_worker using (true) with check (true);
create policy job_runs_of_worker          on job_runs            to gatepost_worker using (true) with check (true);

grant select                         on apps                to gatepost_worker;
grant select                         on users               to gatepost_worker;
-- update for `for update skip locked`, which asks for the right to update.
grant select, update, delete         on flows               to gatepost_worker;
grant select, update                 on sessions            to gatepost_worker;
grant select, update                 on token_families      to gatepost_worker;
grant select, update, delete         on authorization_codes to gatepost_worker;
grant select, update, delete         on signing_keys        to gatepost_worker;
grant select, insert, update, delete on outbox              to gatepost_worker;
grant select, insert                 on deliveries          to gatepost_worker;
grant select, insert                 on delivery_attempts   to gatepost_worker;
grant select, insert                 on audit_events        to gatepost_worker;
grant select, insert, update         on job_runs            to gatepost_worker;
grant select                         on ledger              to gatepost_worker;

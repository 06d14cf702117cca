-- What is counted stands alone: each first try at an address asked three times for the row of its app and locked it,
-- and an app is never deleted. Row-level security says whose a counter is, and all of them are swept.
alter table rate_limits drop constraint rate_limits_app_id_fkey;

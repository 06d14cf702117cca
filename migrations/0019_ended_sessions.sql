-- The sessions that have ended, for the job that deletes them.
--
-- A migration of its own: until the index is made, nobody signs in or refreshes, and a transaction that held the locks
-- of 0018 as well would deadlock with a refresh.

-- Read by jobs/delete-ended-sessions.sql.
create index sessions_ended on sessions (ended_at) where ended_at is not null;

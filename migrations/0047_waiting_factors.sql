-- An authenticator that waits for its first code belongs to whoever began it: a session, or a sign-in's challenge.
--
-- Whoever else is signed in as the user, or knows the password, is neither shown its seed nor may confirm it.
-- Those that wait while this runs are begun again: they live ten minutes.
delete from user_factors where confirmed_at is null;

alter table user_factors add column begun_by uuid;
alter table user_factors add constraint user_factors_waiting_begun
  check ((confirmed_at is null) = (begun_by is not null));

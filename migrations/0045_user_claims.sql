-- claims: what an app's admins have noted about a user for its own programs, by name; put into tokens where the app's
-- setting token_claims says so. Small, because a token travels in a header field.

alter table users
  add column claims jsonb not null default '{}',
  add constraint users_claims_small check (octet_length(claims::text) <= 4096);

-- What a sign-in was asked to be, kept until it ends, and the browser's session that a client's session came from.
--
-- registered_uri is the registered URI that the request's own one matches: at the end it must still be registered. (A
-- loopback address may have another port, so the two are not always the same.) authenticated_after is the moment before
-- which nobody's proof counts, from the client's max_age or prompt.
--
-- hosted_session_id says on which session of the hosted pages a code was issued, and its session began. There is no
-- foreign key: the session of the pages may end, and be swept, before those that came from it.

alter table authorization_requests
  add column registered_uri      text,
  add column authenticated_after timestamptz,
  add constraint authorization_requests_registered_uri_length check (octet_length(registered_uri) between 1 and 2000);

alter table authorization_codes
  add column nonce             text,
  add column hosted_session_id uuid,
  add constraint authorization_codes_nonce_length check (octet_length(nonce) between 1 and 500);

alter table sessions
  add column hosted_session_id uuid,
  add constraint sessions_hosted_by_client check (hosted_session_id is null or client_id is not null);

-- Read when a browser's session takes the place of another one: what came from that one hangs on the new one.
create index sessions_hosted on sessions (app_id, hosted_session_id)
  where ended_at is null and hosted_session_id is not null;

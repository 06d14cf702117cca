-- expected_user_id: whom a client expects to sign in (id_token_hint); anybody else is not signed in to it.

alter table authorization_requests add column expected_user_id uuid;

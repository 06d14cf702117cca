-- What a client asks to be told of a person (scope), and what its ID token repeats (nonce), from the request to the
-- tokens: the code carries both, the family of refresh tokens the scope, which no exchange widens.

alter table authorization_requests add column scope text not null default '';

alter table authorization_codes
  add column scope text not null default '',
  add column if not exists nonce text;

alter table token_families add column scope text not null default '';

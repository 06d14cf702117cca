-- What a client asks to be told of a person (scope), from the request to the tokens: by the code, and by the family of
-- refresh tokens, which no exchange widens.

alter table authorization_requests add column scope text not null default '';

alter table authorization_codes add column scope text not null default '';

alter table token_families add column scope text not null default '';

-- id_token_signed_response_alg: what a client's ID tokens are signed with (OpenID Connect Registration, section 2).
--
-- RS256 unless a client says otherwise, which every client library knows; the clients that exist go on with what they
-- were given until now. An app gets its RSA key with the first client that needs one, as a row of signing_keys whose
-- public_key is a SubjectPublicKeyInfo in DER and whose sealed private half is an RSAPrivateKey in DER (RFC 8017).

alter table clients
  add column id_token_signed_response_alg text not null default 'ES256',
  add constraint clients_id_token_alg_known check (id_token_signed_response_alg in ('ES256', 'RS256'));

alter table clients
  alter column id_token_signed_response_alg set default 'RS256';

alter table signing_keys
  drop constraint signing_keys_algorithm_known,
  add constraint signing_keys_algorithm_known check (algorithm in ('ES256', 'RS256'));

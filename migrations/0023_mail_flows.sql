-- Flows that a mail carries: sign-in by link or code, password reset, change of address and its undoing.
--
-- A flow of a sign-in hangs on the request that its answer goes to. One that changes an address keeps the address as
-- typed, because it becomes the user's, and the session that asked, which alone outlives the change.

-- The language that a person asked for when they signed up, as a BCP 47 tag.
alter table users
  add column locale text,
  add constraint users_locale_form check (locale ~ '^[A-Za-z][A-Za-z0-9-]{1,34}$');

alter table flows
  add column request_id    uuid,
  add column session_id    uuid,
  add column email_entered text,
  add column locale        text,
  drop constraint flows_kind_known,
  add constraint flows_kind_known check (kind in
    ('sign_up', 'admin_invitation', 'audit_export_download', 'email_sign_in', 'password_reset', 'email_change',
     'email_change_undo')),
  add constraint flows_request_fkey foreign key (app_id, request_id)
    references authorization_requests (app_id, id) on delete cascade,
  add constraint flows_request_known check (request_id is null or kind = 'email_sign_in'),
  add constraint flows_email_entered_known
    check ((kind in ('email_change', 'email_change_undo')) = (email_entered is not null)),
  add constraint flows_email_entered_safe
    check (email_entered ~ '^[!-;=?-~]+@[a-z0-9.-]+$' and lower(email_entered) = email),
  add constraint flows_locale_form check (locale ~ '^[A-Za-z][A-Za-z0-9-]{1,34}$');

-- Read by the foreign key to authorization_requests.
create index flows_request on flows (app_id, request_id) where request_id is not null;

alter table sessions
  drop constraint sessions_end_reason_known,
  add constraint sessions_end_reason_known check (end_reason in
    ('signed_out', 'signed_out_everywhere', 'idle', 'expired', 'refresh_reused', 'code_reused', 'epoch',
     'user_deactivated', 'replaced', 'password_changed', 'password_reset',
     'email_changed', 'email_change_undone'));

CREATE TABLE public.admin_grants (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    target_app_id uuid,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT admin_grants_owner_global CHECK (((role <> 'owner'::text) OR (target_app_id IS NULL))),
    CONSTRAINT admin_grants_role_known CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'support'::text, 'auditor'::text])))
);

CREATE TABLE public.admin_invitations (
    app_id uuid NOT NULL,
    flow_id uuid NOT NULL,
    role text NOT NULL,
    target_app_id uuid,
    user_id uuid,
    CONSTRAINT admin_invitations_owner_global CHECK (((role <> 'owner'::text) OR (target_app_id IS NULL))),
    CONSTRAINT admin_invitations_role_known CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'support'::text, 'auditor'::text])))
);

CREATE TABLE public.api_keys (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    key_hash bytea NOT NULL,
    role text NOT NULL,
    target_app_id uuid,
    user_id uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
    CONSTRAINT api_keys_role_known CHECK ((role = ANY (ARRAY['admin'::text, 'support'::text, 'auditor'::text])))
);

CREATE TABLE public.apps (
    id uuid NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    settings jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    suspended_at timestamp with time zone,
    CONSTRAINT apps_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
    CONSTRAINT apps_settings_object CHECK ((jsonb_typeof(settings) = 'object'::text)),
    CONSTRAINT apps_state_known CHECK ((state = ANY (ARRAY['active'::text, 'suspended'::text]))),
    CONSTRAINT apps_suspended_dated CHECK (((state = 'suspended'::text) = (suspended_at IS NOT NULL)))
);

CREATE TABLE public.audit_events (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    user_id uuid,
    actor_kind text NOT NULL,
    actor_id uuid,
    client_id uuid,
    session_id uuid,
    flow_id uuid,
    reason text,
    ip text,
    user_agent text,
    details jsonb NOT NULL,
    transaction_id xid8 DEFAULT pg_current_xact_id() NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT audit_events_actor_kind_known CHECK ((actor_kind = ANY (ARRAY['user'::text, 'anyone'::text, 'operator'::text, 'job'::text, 'worker'::text, 'admin'::text, 'api_key'::text]))),
    CONSTRAINT audit_events_kind_form CHECK ((kind ~ '^[a-z_]+\.[a-z_]+$'::text))
);

CREATE TABLE public.audit_export_parts (
    app_id uuid NOT NULL,
    export_id uuid NOT NULL,
    number integer NOT NULL,
    byte_offset bigint NOT NULL,
    bytes bytea NOT NULL
);

CREATE TABLE public.audit_exports (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL,
    reason text,
    format text NOT NULL,
    user_id uuid,
    kinds text[],
    since_at timestamp with time zone,
    until_at timestamp with time zone NOT NULL,
    actor_kind text NOT NULL,
    actor_id uuid NOT NULL,
    person_id uuid,
    horizon_id xid8 NOT NULL,
    position_transaction_id xid8 NOT NULL,
    position_event_id uuid NOT NULL,
    part_count integer NOT NULL,
    row_count bigint NOT NULL,
    byte_count bigint NOT NULL,
    file_hash bytea,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT audit_exports_actor_known CHECK ((actor_kind = ANY (ARRAY['admin'::text, 'api_key'::text]))),
    CONSTRAINT audit_exports_failed_reason CHECK (((state = 'failed'::text) = (reason IS NOT NULL))),
    CONSTRAINT audit_exports_finished_dated CHECK (((state = 'running'::text) = (finished_at IS NULL))),
    CONSTRAINT audit_exports_finished_whole CHECK (((state = 'finished'::text) = (file_hash IS NOT NULL))),
    CONSTRAINT audit_exports_format_known CHECK ((format = ANY (ARRAY['ndjson'::text, 'csv'::text]))),
    CONSTRAINT audit_exports_state_known CHECK ((state = ANY (ARRAY['running'::text, 'finished'::text, 'failed'::text])))
);

CREATE TABLE public.authorization_codes (
    app_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    client_id uuid NOT NULL,
    user_id uuid NOT NULL,
    auth_epoch integer NOT NULL,
    redirect_uri text NOT NULL,
    code_challenge text NOT NULL,
    amr text[] NOT NULL,
    authenticated_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    redeemed_at timestamp with time zone,
    session_id uuid,
    nonce text,
    hosted_session_id uuid,
    scope text DEFAULT ''::text NOT NULL,
    CONSTRAINT authorization_codes_nonce_length CHECK (((octet_length(nonce) >= 1) AND (octet_length(nonce) <= 500))),
    CONSTRAINT authorization_codes_redeemed_once CHECK (((redeemed_at IS NULL) = (session_id IS NULL)))
);

CREATE TABLE public.authorization_requests (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    client_id uuid NOT NULL,
    redirect_uri text NOT NULL,
    code_challenge text NOT NULL,
    state text,
    nonce text,
    browser_hash bytea NOT NULL,
    login_hint text,
    locale text,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    answered_at timestamp with time zone,
    code_hash bytea,
    registered_uri text,
    authenticated_after timestamp with time zone,
    scope text DEFAULT ''::text NOT NULL,
    requires_factor boolean DEFAULT false NOT NULL,
    asks_consent boolean DEFAULT false NOT NULL,
    consenting_session_id uuid,
    expected_user_id uuid,
    CONSTRAINT authorization_requests_answered_once CHECK (((answered_at IS NULL) = (code_hash IS NULL))),
    CONSTRAINT authorization_requests_locale_length CHECK ((octet_length(locale) <= 35)),
    CONSTRAINT authorization_requests_login_hint_length CHECK ((octet_length(login_hint) <= 254)),
    CONSTRAINT authorization_requests_nonce_length CHECK (((octet_length(nonce) >= 1) AND (octet_length(nonce) <= 500))),
    CONSTRAINT authorization_requests_redirect_uri_length CHECK (((octet_length(redirect_uri) >= 1) AND (octet_length(redirect_uri) <= 2000))),
    CONSTRAINT authorization_requests_registered_uri_length CHECK (((octet_length(registered_uri) >= 1) AND (octet_length(registered_uri) <= 2000))),
    CONSTRAINT authorization_requests_state_length CHECK (((octet_length(state) >= 1) AND (octet_length(state) <= 4000)))
);

CREATE TABLE public.captured_mails (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    user_id uuid,
    flow_id uuid,
    recipient text NOT NULL,
    content_sealed bytea NOT NULL,
    captured_at timestamp with time zone NOT NULL,
    CONSTRAINT captured_mails_content_length CHECK ((octet_length(content_sealed) <= 1048576)),
    CONSTRAINT captured_mails_recipient_safe CHECK ((recipient ~ '^[!-;=?-~]+@[a-z0-9.-]+$'::text))
);

CREATE TABLE public.client_assertions (
    app_id uuid NOT NULL,
    client_id uuid NOT NULL,
    jti_hash bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.client_redirect_uris (
    app_id uuid NOT NULL,
    client_id uuid NOT NULL,
    uri text NOT NULL,
    CONSTRAINT client_redirect_uris_uri_length CHECK (((octet_length(uri) >= 1) AND (octet_length(uri) <= 2000)))
);

CREATE TABLE public.client_secrets (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    client_id uuid NOT NULL,
    prefix text NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone
);

CREATE TABLE public.clients (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    type text DEFAULT 'public'::text NOT NULL,
    key_set text,
    requires_pushed boolean DEFAULT false NOT NULL,
    web_origins text[] DEFAULT '{}'::text[] NOT NULL,
    post_logout_uris text[] DEFAULT '{}'::text[] NOT NULL,
    party text DEFAULT 'first_party'::text NOT NULL,
    sector text,
    id_token_signed_response_alg text DEFAULT 'RS256'::text NOT NULL,
    CONSTRAINT clients_id_token_alg_known CHECK ((id_token_signed_response_alg = ANY (ARRAY['ES256'::text, 'RS256'::text]))),
    CONSTRAINT clients_key_set_length CHECK ((octet_length(key_set) <= 32768)),
    CONSTRAINT clients_key_set_proves CHECK (((key_set IS NULL) OR (type = 'confidential'::text))),
    CONSTRAINT clients_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
    CONSTRAINT clients_party_known CHECK ((party = ANY (ARRAY['first_party'::text, 'third_party'::text]))),
    CONSTRAINT clients_sector_length CHECK (((octet_length(sector) >= 1) AND (octet_length(sector) <= 2000))),
    CONSTRAINT clients_type_known CHECK ((type = ANY (ARRAY['public'::text, 'confidential'::text])))
);

CREATE TABLE public.consents (
    app_id uuid NOT NULL,
    user_id uuid NOT NULL,
    client_id uuid NOT NULL,
    scopes text[] NOT NULL,
    request_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    granted_at timestamp with time zone NOT NULL
);

CREATE TABLE public.credentials (
    app_id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    password_hash text NOT NULL,
    version integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT credentials_kind_known CHECK ((kind = 'password'::text))
);

CREATE TABLE public.deliveries (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    lane text NOT NULL,
    route text NOT NULL,
    flow_id uuid,
    user_id uuid,
    recipient_hash bytea,
    outcome text NOT NULL,
    reason text,
    attempt_count integer NOT NULL,
    payload jsonb NOT NULL,
    replay_of uuid,
    trace text,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT deliveries_lane_known CHECK ((lane = ANY (ARRAY['interactive'::text, 'notice'::text, 'bulk'::text]))),
    CONSTRAINT deliveries_outcome_known CHECK ((outcome = ANY (ARRAY['delivered'::text, 'rejected'::text, 'exhausted'::text, 'expired'::text, 'obsolete'::text, 'suppressed'::text, 'cancelled'::text, 'indeterminate'::text])))
)
PARTITION BY RANGE (ended_at);

CREATE TABLE public.deliveries_default (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    lane text NOT NULL,
    route text NOT NULL,
    flow_id uuid,
    user_id uuid,
    recipient_hash bytea,
    outcome text NOT NULL,
    reason text,
    attempt_count integer NOT NULL,
    payload jsonb NOT NULL,
    replay_of uuid,
    trace text,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT deliveries_lane_known CHECK ((lane = ANY (ARRAY['interactive'::text, 'notice'::text, 'bulk'::text]))),
    CONSTRAINT deliveries_outcome_known CHECK ((outcome = ANY (ARRAY['delivered'::text, 'rejected'::text, 'exhausted'::text, 'expired'::text, 'obsolete'::text, 'suppressed'::text, 'cancelled'::text, 'indeterminate'::text])))
);

CREATE TABLE public.delivery_attempts (
    app_id uuid NOT NULL,
    message_id uuid NOT NULL,
    claim_number integer NOT NULL,
    outcome text NOT NULL,
    code integer,
    reply text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    CONSTRAINT delivery_attempts_outcome_known CHECK ((outcome = ANY (ARRAY['delivered'::text, 'transient'::text, 'permanent'::text, 'indeterminate'::text])))
)
PARTITION BY RANGE (ended_at);

CREATE TABLE public.delivery_attempts_default (
    app_id uuid NOT NULL,
    message_id uuid NOT NULL,
    claim_number integer NOT NULL,
    outcome text NOT NULL,
    code integer,
    reply text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    CONSTRAINT delivery_attempts_outcome_known CHECK ((outcome = ANY (ARRAY['delivered'::text, 'transient'::text, 'permanent'::text, 'indeterminate'::text])))
);

CREATE TABLE public.factor_challenges (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    token_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    auth_epoch integer NOT NULL,
    request_id uuid,
    holder_hash bytea,
    is_hosted boolean NOT NULL,
    replaces_session_id uuid,
    session_id uuid,
    amr text[] NOT NULL,
    authenticated_at timestamp with time zone NOT NULL,
    attempt_count integer NOT NULL,
    enrolled_at timestamp with time zone,
    passed_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT factor_challenges_request_held CHECK (((request_id IS NULL) OR (holder_hash IS NOT NULL)))
);

CREATE TABLE public.flows (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    reason text,
    user_id uuid,
    email text NOT NULL,
    auth_epoch integer NOT NULL,
    secret_epoch smallint NOT NULL,
    token_hash bytea NOT NULL,
    link_hash bytea NOT NULL,
    code_hash bytea NOT NULL,
    code_attempt_count integer DEFAULT 0 NOT NULL,
    password_hash text,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    export_app_id uuid,
    export_id uuid,
    request_id uuid,
    session_id uuid,
    email_entered text,
    locale text,
    CONSTRAINT flows_email_entered_known CHECK (((kind = ANY (ARRAY['email_change'::text, 'email_change_undo'::text])) = (email_entered IS NOT NULL))),
    CONSTRAINT flows_email_entered_safe CHECK (((email_entered ~ '^[!-;=?-~]+@[a-z0-9.-]+$'::text) AND (lower(email_entered) = email))),
    CONSTRAINT flows_ended_dated CHECK (((state = 'pending'::text) = (ended_at IS NULL))),
    CONSTRAINT flows_export_named CHECK (((kind = 'audit_export_download'::text) = (export_id IS NOT NULL))),
    CONSTRAINT flows_export_whole CHECK (((export_app_id IS NULL) = (export_id IS NULL))),
    CONSTRAINT flows_kind_known CHECK ((kind = ANY (ARRAY['sign_up'::text, 'admin_invitation'::text, 'audit_export_download'::text, 'email_sign_in'::text, 'password_reset'::text, 'email_change'::text, 'email_change_undo'::text]))),
    CONSTRAINT flows_locale_form CHECK ((locale ~ '^[A-Za-z][A-Za-z0-9-]{1,34}$'::text)),
    CONSTRAINT flows_passed_user CHECK (((state <> 'passed'::text) OR (user_id IS NOT NULL))),
    CONSTRAINT flows_refused_reason CHECK (((state = 'refused'::text) = (reason IS NOT NULL))),
    CONSTRAINT flows_request_known CHECK (((request_id IS NULL) OR (kind = 'email_sign_in'::text))),
    CONSTRAINT flows_state_known CHECK ((state = ANY (ARRAY['pending'::text, 'passed'::text, 'refused'::text])))
);

CREATE TABLE public.idempotency_keys (
    app_id uuid NOT NULL,
    key_hash bytea NOT NULL,
    request_hash bytea NOT NULL,
    reference jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.identity_providers (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    issuer text NOT NULL,
    client_id text NOT NULL,
    secret_sealed bytea NOT NULL,
    scopes text[] NOT NULL,
    team_id text,
    key_id text,
    allows_sign_up boolean NOT NULL,
    keeps_tokens boolean NOT NULL,
    state text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    secret_changed_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    CONSTRAINT identity_providers_apple_whole CHECK ((((kind = 'apple'::text) = (team_id IS NOT NULL)) AND ((team_id IS NULL) = (key_id IS NULL)))),
    CONSTRAINT identity_providers_client_id_safe CHECK (((client_id ~ '^[!-~]+$'::text) AND (octet_length(client_id) <= 255))),
    CONSTRAINT identity_providers_disabled_dated CHECK (((state = 'disabled'::text) = (disabled_at IS NOT NULL))),
    CONSTRAINT identity_providers_issuer_safe CHECK (((issuer ~ '^https?://[][a-z0-9.:-]+(/[!-~]*)?$'::text) AND (octet_length(issuer) <= 500))),
    CONSTRAINT identity_providers_kind_known CHECK ((kind = ANY (ARRAY['openid'::text, 'google'::text, 'apple'::text, 'microsoft'::text, 'github'::text]))),
    CONSTRAINT identity_providers_label_length CHECK (((char_length(label) >= 1) AND (char_length(label) <= 60))),
    CONSTRAINT identity_providers_name_plain CHECK ((name ~ '^[a-z0-9][a-z0-9-]{0,39}$'::text)),
    CONSTRAINT identity_providers_scopes_few CHECK (((cardinality(scopes) >= 1) AND (cardinality(scopes) <= 20))),
    CONSTRAINT identity_providers_state_known CHECK ((state = ANY (ARRAY['enabled'::text, 'disabled'::text])))
);

CREATE TABLE public.job_runs (
    job text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    row_count bigint DEFAULT 0 NOT NULL,
    batch_count integer DEFAULT 0 NOT NULL,
    error text
);

CREATE TABLE public.outbox (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    lane text NOT NULL,
    route text NOT NULL,
    flow_id uuid,
    user_id uuid,
    recipient_hash bytea,
    ready boolean NOT NULL,
    due_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    held_at timestamp with time zone,
    claim_number integer DEFAULT 0 NOT NULL,
    attempt_count integer DEFAULT 0 NOT NULL,
    payload jsonb NOT NULL,
    unique_key text,
    replay_of uuid,
    trace text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT outbox_lane_known CHECK ((lane = ANY (ARRAY['interactive'::text, 'notice'::text, 'bulk'::text])))
);

CREATE VIEW public.ledger WITH (security_invoker='true') AS
 SELECT outbox.app_id,
    outbox.id,
    outbox.kind,
    outbox.lane,
    outbox.route,
    outbox.flow_id,
    outbox.user_id,
    outbox.recipient_hash,
    outbox.attempt_count,
    outbox.replay_of,
    outbox.trace,
    outbox.created_at,
        CASE
            WHEN (outbox.held_at IS NOT NULL) THEN 'held'::text
            WHEN ((outbox.claim_number = 0) OR outbox.ready) THEN 'owed'::text
            ELSE 'waiting'::text
        END AS state,
    NULL::text AS reason,
    outbox.due_at,
    outbox.expires_at,
    NULL::timestamp with time zone AS ended_at,
    true AS is_owed
   FROM public.outbox
UNION ALL
 SELECT deliveries.app_id,
    deliveries.id,
    deliveries.kind,
    deliveries.lane,
    deliveries.route,
    deliveries.flow_id,
    deliveries.user_id,
    deliveries.recipient_hash,
    deliveries.attempt_count,
    deliveries.replay_of,
    deliveries.trace,
    deliveries.created_at,
    deliveries.outcome AS state,
    deliveries.reason,
    NULL::timestamp with time zone AS due_at,
    deliveries.expires_at,
    deliveries.ended_at,
    false AS is_owed
   FROM public.deliveries;

CREATE TABLE public.provider_sign_ins (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    provider_id uuid NOT NULL,
    request_id uuid,
    state_hash bytea NOT NULL,
    browser_hash bytea NOT NULL,
    secret_epoch smallint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    consumed_at timestamp with time zone,
    proven_at timestamp with time zone,
    identity_id uuid,
    subject text,
    email text,
    email_is_verified boolean,
    tokens_sealed bytea,
    user_id uuid,
    session_id uuid,
    auth_epoch integer,
    redirect_uri text,
    client_state text,
    code_hash bytea,
    linked_at timestamp with time zone,
    CONSTRAINT provider_sign_ins_code_proven CHECK (((code_hash IS NULL) OR ((proven_at IS NOT NULL) AND (user_id IS NOT NULL) AND (redirect_uri IS NOT NULL)))),
    CONSTRAINT provider_sign_ins_linked_user CHECK (((linked_at IS NULL) OR ((proven_at IS NOT NULL) AND (user_id IS NOT NULL)))),
    CONSTRAINT provider_sign_ins_one_purpose CHECK (((request_id IS NULL) OR (user_id IS NULL))),
    CONSTRAINT provider_sign_ins_proven_once CHECK (((proven_at IS NULL) OR (consumed_at IS NOT NULL))),
    CONSTRAINT provider_sign_ins_proven_whole CHECK ((((proven_at IS NULL) = (subject IS NULL)) AND ((proven_at IS NULL) = (identity_id IS NULL)) AND ((proven_at IS NULL) OR (user_id IS NOT NULL) OR ((email IS NOT NULL) AND (email_is_verified IS NOT NULL))))),
    CONSTRAINT provider_sign_ins_state_back CHECK (((client_state IS NULL) OR (redirect_uri IS NOT NULL))),
    CONSTRAINT provider_sign_ins_user_whole CHECK ((((user_id IS NULL) = (session_id IS NULL)) AND ((user_id IS NULL) = (auth_epoch IS NULL))))
);

CREATE TABLE public.pushed_requests (
    app_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    client_id uuid NOT NULL,
    parameters text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT pushed_requests_parameters_length CHECK ((octet_length(parameters) <= 65536))
);

CREATE TABLE public.rate_limits (
    app_id uuid NOT NULL,
    key_hash bytea NOT NULL,
    window_at timestamp with time zone NOT NULL,
    count integer NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.recovery_codes (
    app_id uuid NOT NULL,
    user_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE public.refresh_tokens (
    app_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    family_id uuid NOT NULL,
    generation integer NOT NULL,
    auth_epoch integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    successor_hash bytea,
    successor_sealed bytea,
    CONSTRAINT refresh_tokens_used_once CHECK (((used_at IS NULL) = (successor_hash IS NULL)))
);

CREATE TABLE public.roles (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    permissions text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    requires_factor boolean DEFAULT false NOT NULL,
    CONSTRAINT roles_description_length CHECK ((char_length(description) <= 200)),
    CONSTRAINT roles_name_safe CHECK ((name ~ '^[a-z][a-z0-9_.:-]{0,39}$'::text)),
    CONSTRAINT roles_permissions_safe CHECK ((array_to_string(permissions, ' '::text) ~ '^([a-z][a-z0-9_.:*/-]{0,63}( [a-z][a-z0-9_.:*/-]{0,63})*)?$'::text))
);

CREATE TABLE public.schema_migrations (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone NOT NULL
);

CREATE TABLE public.sessions (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    client_id uuid,
    auth_epoch integer NOT NULL,
    amr text[] NOT NULL,
    user_agent text,
    ip text,
    authenticated_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL,
    idle_expires_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason text,
    token_hash bytea,
    hosted_session_id uuid,
    CONSTRAINT sessions_ended_reason CHECK (((ended_at IS NULL) = (end_reason IS NULL))),
    CONSTRAINT sessions_hosted_by_client CHECK (((hosted_session_id IS NULL) OR (client_id IS NOT NULL))),
    CONSTRAINT sessions_hosted_token CHECK (((client_id IS NULL) = (token_hash IS NOT NULL)))
);

CREATE TABLE public.signing_keys (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    algorithm text NOT NULL,
    state text NOT NULL,
    public_key bytea NOT NULL,
    private_sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    activated_at timestamp with time zone,
    retired_at timestamp with time zone,
    CONSTRAINT signing_keys_activated_dated CHECK (((state = 'next'::text) = (activated_at IS NULL))),
    CONSTRAINT signing_keys_algorithm_known CHECK ((algorithm = ANY (ARRAY['ES256'::text, 'RS256'::text]))),
    CONSTRAINT signing_keys_retired_dated CHECK (((state = 'retired'::text) = (retired_at IS NOT NULL))),
    CONSTRAINT signing_keys_state_known CHECK ((state = ANY (ARRAY['next'::text, 'active'::text, 'retired'::text])))
);

CREATE TABLE public.subject_secrets (
    app_id uuid NOT NULL,
    secret_sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.token_families (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    client_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason text,
    scope text DEFAULT ''::text NOT NULL,
    CONSTRAINT token_families_ended_reason CHECK (((ended_at IS NULL) = (end_reason IS NULL)))
);

CREATE TABLE public.user_factors (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    seed_sealed bytea NOT NULL,
    last_step bigint,
    created_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    begun_by uuid,
    CONSTRAINT user_factors_confirmed_or_ends CHECK ((((confirmed_at IS NULL) = (last_step IS NULL)) AND ((confirmed_at IS NULL) = (expires_at IS NOT NULL)))),
    CONSTRAINT user_factors_kind_known CHECK ((kind = 'totp'::text)),
    CONSTRAINT user_factors_waiting_begun CHECK (((confirmed_at IS NULL) = (begun_by IS NOT NULL)))
);

CREATE TABLE public.user_identities (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    email text,
    tokens_sealed bytea,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL,
    CONSTRAINT user_identities_subject_length CHECK (((octet_length(subject) >= 1) AND (octet_length(subject) <= 255)))
);

CREATE TABLE public.user_roles (
    app_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role_id uuid NOT NULL,
    assigned_at timestamp with time zone NOT NULL
);

CREATE TABLE public.users (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    email_entered text NOT NULL,
    email_verified_at timestamp with time zone,
    state text NOT NULL,
    auth_epoch integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    deactivated_at timestamp with time zone,
    locale text,
    claims jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT users_claims_small CHECK ((octet_length((claims)::text) <= 4096)),
    CONSTRAINT users_deactivated_dated CHECK (((state = 'deactivated'::text) = (deactivated_at IS NOT NULL))),
    CONSTRAINT users_email_entered_safe CHECK (((email_entered ~ '^[!-;=?-~]+@[a-z0-9.-]+$'::text) AND (lower(email_entered) = email))),
    CONSTRAINT users_email_safe CHECK (((email ~ '^[!-;=?-~]+@[a-z0-9.-]+$'::text) AND (octet_length(email) <= 254))),
    CONSTRAINT users_locale_form CHECK ((locale ~ '^[A-Za-z][A-Za-z0-9-]{1,34}$'::text)),
    CONSTRAINT users_state_known CHECK ((state = ANY (ARRAY['active'::text, 'deactivated'::text])))
);

CREATE TABLE public.webhook_endpoints (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    description text NOT NULL,
    event_types text[] NOT NULL,
    state text NOT NULL,
    disabled_reason text,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    first_failed_at timestamp with time zone,
    last_failed_at timestamp with time zone,
    CONSTRAINT webhook_endpoints_description_length CHECK ((char_length(description) <= 200)),
    CONSTRAINT webhook_endpoints_disabled_dated CHECK ((((state = 'disabled'::text) = (disabled_at IS NOT NULL)) AND ((disabled_at IS NULL) = (disabled_reason IS NULL)))),
    CONSTRAINT webhook_endpoints_disabled_reason_known CHECK ((disabled_reason = ANY (ARRAY['by_admin'::text, 'gone'::text, 'failing'::text]))),
    CONSTRAINT webhook_endpoints_event_types_some CHECK (((cardinality(event_types) >= 1) AND (cardinality(event_types) <= 50))),
    CONSTRAINT webhook_endpoints_failed_dated CHECK (((first_failed_at IS NULL) = (last_failed_at IS NULL))),
    CONSTRAINT webhook_endpoints_state_known CHECK ((state = ANY (ARRAY['enabled'::text, 'disabled'::text]))),
    CONSTRAINT webhook_endpoints_url_safe CHECK (((url ~ '^https?://[][a-z0-9.:-]+(/[!-~]*)?$'::text) AND (octet_length(url) <= 2000)))
);

CREATE TABLE public.webhook_secrets (
    app_id uuid NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    secret_sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone
);

ALTER TABLE ONLY public.deliveries ATTACH PARTITION public.deliveries_default DEFAULT;

ALTER TABLE ONLY public.delivery_attempts ATTACH PARTITION public.delivery_attempts_default DEFAULT;

ALTER TABLE ONLY public.admin_grants
    ADD CONSTRAINT admin_grants_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.admin_invitations
    ADD CONSTRAINT admin_invitations_pkey PRIMARY KEY (app_id, flow_id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.apps
    ADD CONSTRAINT apps_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.audit_export_parts
    ADD CONSTRAINT audit_export_parts_pkey PRIMARY KEY (app_id, export_id, number);

ALTER TABLE ONLY public.audit_exports
    ADD CONSTRAINT audit_exports_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT authorization_codes_pkey PRIMARY KEY (app_id, code_hash);

ALTER TABLE ONLY public.authorization_requests
    ADD CONSTRAINT authorization_requests_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.captured_mails
    ADD CONSTRAINT captured_mails_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.client_assertions
    ADD CONSTRAINT client_assertions_pkey PRIMARY KEY (app_id, client_id, jti_hash);

ALTER TABLE ONLY public.client_redirect_uris
    ADD CONSTRAINT client_redirect_uris_pkey PRIMARY KEY (app_id, client_id, uri);

ALTER TABLE ONLY public.client_secrets
    ADD CONSTRAINT client_secrets_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.consents
    ADD CONSTRAINT consents_pkey PRIMARY KEY (app_id, user_id, client_id);

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_pkey PRIMARY KEY (app_id, user_id, kind);

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (app_id, id, ended_at);

ALTER TABLE ONLY public.deliveries_default
    ADD CONSTRAINT deliveries_default_pkey PRIMARY KEY (app_id, id, ended_at);

ALTER TABLE ONLY public.delivery_attempts
    ADD CONSTRAINT delivery_attempts_pkey PRIMARY KEY (app_id, message_id, claim_number, ended_at);

ALTER TABLE ONLY public.delivery_attempts_default
    ADD CONSTRAINT delivery_attempts_default_pkey PRIMARY KEY (app_id, message_id, claim_number, ended_at);

ALTER TABLE ONLY public.factor_challenges
    ADD CONSTRAINT factor_challenges_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.flows
    ADD CONSTRAINT flows_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (app_id, key_hash);

ALTER TABLE ONLY public.identity_providers
    ADD CONSTRAINT identity_providers_issuer_key UNIQUE (app_id, issuer);

ALTER TABLE ONLY public.identity_providers
    ADD CONSTRAINT identity_providers_name_key UNIQUE (app_id, name);

ALTER TABLE ONLY public.identity_providers
    ADD CONSTRAINT identity_providers_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.job_runs
    ADD CONSTRAINT job_runs_pkey PRIMARY KEY (job, due_at);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.provider_sign_ins
    ADD CONSTRAINT provider_sign_ins_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.pushed_requests
    ADD CONSTRAINT pushed_requests_pkey PRIMARY KEY (app_id, token_hash);

ALTER TABLE ONLY public.rate_limits
    ADD CONSTRAINT rate_limits_pkey PRIMARY KEY (app_id, key_hash, window_at);

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_pkey PRIMARY KEY (app_id, user_id, code_hash);

ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (app_id, token_hash);

ALTER TABLE ONLY public.roles
    ADD CONSTRAINT roles_name_key UNIQUE (app_id, name);

ALTER TABLE ONLY public.roles
    ADD CONSTRAINT roles_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (number);

ALTER TABLE public.sessions
    ADD CONSTRAINT sessions_end_reason_known CHECK ((end_reason ~ '^[a-z]+(_[a-z]+)*$'::text)) NOT VALID;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.subject_secrets
    ADD CONSTRAINT subject_secrets_pkey PRIMARY KEY (app_id);

ALTER TABLE ONLY public.token_families
    ADD CONSTRAINT token_families_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.user_factors
    ADD CONSTRAINT user_factors_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.user_identities
    ADD CONSTRAINT user_identities_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.user_identities
    ADD CONSTRAINT user_identities_subject_key UNIQUE (app_id, issuer, subject);

ALTER TABLE ONLY public.user_identities
    ADD CONSTRAINT user_identities_user_key UNIQUE (app_id, user_id, issuer);

ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT user_roles_pkey PRIMARY KEY (app_id, user_id, role_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (app_id, email);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (app_id, id);

ALTER TABLE ONLY public.webhook_secrets
    ADD CONSTRAINT webhook_secrets_pkey PRIMARY KEY (app_id, id);

CREATE UNIQUE INDEX admin_grants_target ON public.admin_grants USING btree (app_id, user_id, COALESCE(target_app_id, app_id));

CREATE INDEX admin_invitations_user ON public.admin_invitations USING btree (app_id, user_id) WHERE (user_id IS NOT NULL);

CREATE UNIQUE INDEX api_keys_hash ON public.api_keys USING btree (app_id, key_hash);

CREATE INDEX api_keys_time ON public.api_keys USING btree (app_id, created_at, id);

CREATE INDEX api_keys_user ON public.api_keys USING btree (app_id, user_id) WHERE (user_id IS NOT NULL);

CREATE INDEX audit_events_actor ON public.audit_events USING btree (app_id, actor_id, created_at) WHERE (actor_id IS NOT NULL);

CREATE INDEX audit_events_time ON public.audit_events USING btree (app_id, created_at, id);

CREATE INDEX audit_events_transaction ON public.audit_events USING btree (app_id, transaction_id, id);

CREATE INDEX audit_events_user ON public.audit_events USING btree (app_id, user_id, created_at) WHERE (user_id IS NOT NULL);

CREATE INDEX audit_exports_expired ON public.audit_exports USING btree (expires_at);

CREATE INDEX audit_exports_time ON public.audit_exports USING btree (app_id, created_at, id);

CREATE INDEX authorization_codes_client ON public.authorization_codes USING btree (app_id, client_id);

CREATE INDEX authorization_codes_expired ON public.authorization_codes USING btree (expires_at);

CREATE INDEX authorization_codes_user ON public.authorization_codes USING btree (app_id, user_id);

CREATE INDEX authorization_requests_browser ON public.authorization_requests USING btree (app_id, browser_hash, created_at) WHERE (answered_at IS NULL);

CREATE INDEX authorization_requests_client ON public.authorization_requests USING btree (app_id, client_id);

CREATE INDEX authorization_requests_expired ON public.authorization_requests USING btree (expires_at);

CREATE INDEX captured_mails_captured ON public.captured_mails USING btree (captured_at);

CREATE INDEX captured_mails_time ON public.captured_mails USING btree (app_id, captured_at, id);

CREATE INDEX client_assertions_expired ON public.client_assertions USING btree (expires_at);

CREATE INDEX client_secrets_client ON public.client_secrets USING btree (app_id, client_id);

CREATE INDEX clients_time ON public.clients USING btree (app_id, created_at, id);

CREATE INDEX consents_client ON public.consents USING btree (app_id, client_id);

CREATE INDEX deliveries_time ON ONLY public.deliveries USING btree (app_id, created_at, id) WHERE (created_at > '-infinity'::timestamp with time zone);

CREATE INDEX deliveries_default_app_id_created_at_id_idx ON public.deliveries_default USING btree (app_id, created_at, id) WHERE (created_at > '-infinity'::timestamp with time zone);

CREATE INDEX deliveries_undelivered ON ONLY public.deliveries USING btree (app_id, created_at, id) WHERE ((outcome <> 'delivered'::text) AND (created_at > '-infinity'::timestamp with time zone));

CREATE INDEX deliveries_default_app_id_created_at_id_idx1 ON public.deliveries_default USING btree (app_id, created_at, id) WHERE ((outcome <> 'delivered'::text) AND (created_at > '-infinity'::timestamp with time zone));

CREATE INDEX deliveries_recipient ON ONLY public.deliveries USING btree (app_id, recipient_hash, ended_at) WHERE (recipient_hash IS NOT NULL);

CREATE INDEX deliveries_default_app_id_recipient_hash_ended_at_idx ON public.deliveries_default USING btree (app_id, recipient_hash, ended_at) WHERE (recipient_hash IS NOT NULL);

CREATE INDEX deliveries_replays ON ONLY public.deliveries USING btree (app_id, replay_of) WHERE (replay_of IS NOT NULL);

CREATE INDEX deliveries_default_app_id_replay_of_idx ON public.deliveries_default USING btree (app_id, replay_of) WHERE (replay_of IS NOT NULL);

CREATE INDEX deliveries_user ON ONLY public.deliveries USING btree (app_id, user_id, ended_at) WHERE (user_id IS NOT NULL);

CREATE INDEX deliveries_default_app_id_user_id_ended_at_idx ON public.deliveries_default USING btree (app_id, user_id, ended_at) WHERE (user_id IS NOT NULL);

CREATE INDEX factor_challenges_expired ON public.factor_challenges USING btree (expires_at);

CREATE INDEX factor_challenges_user ON public.factor_challenges USING btree (app_id, user_id);

CREATE INDEX flows_expired ON public.flows USING btree (expires_at);

CREATE UNIQUE INDEX flows_link ON public.flows USING btree (app_id, link_hash);

CREATE INDEX flows_pending ON public.flows USING btree (app_id, email) WHERE (state = 'pending'::text);

CREATE INDEX flows_request ON public.flows USING btree (app_id, request_id) WHERE (request_id IS NOT NULL);

CREATE INDEX flows_user ON public.flows USING btree (app_id, user_id) WHERE (user_id IS NOT NULL);

CREATE INDEX idempotency_keys_expired ON public.idempotency_keys USING btree (expires_at);

CREATE INDEX job_runs_due ON public.job_runs USING btree (due_at);

CREATE INDEX outbox_new ON public.outbox USING btree (lane, due_at) INCLUDE (app_id) WHERE (ready AND (held_at IS NULL) AND (due_at > '-infinity'::timestamp with time zone));

CREATE UNIQUE INDEX outbox_pending_key ON public.outbox USING btree (app_id, unique_key) WHERE ((claim_number = 0) AND (unique_key IS NOT NULL));

CREATE INDEX outbox_replays ON public.outbox USING btree (app_id, replay_of) WHERE (replay_of IS NOT NULL);

CREATE INDEX outbox_time ON public.outbox USING btree (app_id, created_at, id) WHERE (created_at > '-infinity'::timestamp with time zone);

CREATE INDEX outbox_tried ON public.outbox USING btree (lane, created_at) WHERE ((held_at IS NULL) AND ((claim_number > 1) OR (attempt_count > 0)));

CREATE INDEX outbox_turn ON public.outbox USING btree (lane, app_id, due_at) WHERE (ready AND (held_at IS NULL) AND (app_id IS NOT NULL));

CREATE INDEX outbox_user ON public.outbox USING btree (app_id, user_id) WHERE (user_id IS NOT NULL);

CREATE INDEX outbox_waiting ON public.outbox USING btree (due_at) WHERE ((NOT ready) AND (held_at IS NULL));

CREATE INDEX provider_sign_ins_browser ON public.provider_sign_ins USING btree (app_id, browser_hash) WHERE (request_id IS NULL);

CREATE UNIQUE INDEX provider_sign_ins_code ON public.provider_sign_ins USING btree (app_id, code_hash) WHERE (code_hash IS NOT NULL);

CREATE INDEX provider_sign_ins_expired ON public.provider_sign_ins USING btree (expires_at);

CREATE INDEX provider_sign_ins_provider ON public.provider_sign_ins USING btree (app_id, provider_id);

CREATE INDEX provider_sign_ins_request ON public.provider_sign_ins USING btree (app_id, request_id);

CREATE UNIQUE INDEX provider_sign_ins_state ON public.provider_sign_ins USING btree (app_id, state_hash);

CREATE INDEX provider_sign_ins_user ON public.provider_sign_ins USING btree (app_id, user_id) WHERE (user_id IS NOT NULL);

CREATE INDEX pushed_requests_client ON public.pushed_requests USING btree (app_id, client_id);

CREATE INDEX pushed_requests_expired ON public.pushed_requests USING btree (expires_at);

CREATE INDEX rate_limits_expired ON public.rate_limits USING btree (expires_at);

CREATE UNIQUE INDEX refresh_tokens_generation ON public.refresh_tokens USING btree (app_id, family_id, generation);

CREATE INDEX sessions_client ON public.sessions USING btree (app_id, client_id);

CREATE INDEX sessions_ended ON public.sessions USING btree (ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX sessions_hosted ON public.sessions USING btree (app_id, hosted_session_id) WHERE ((ended_at IS NULL) AND (hosted_session_id IS NOT NULL));

CREATE INDEX sessions_stale ON public.sessions USING btree (LEAST(idle_expires_at, expires_at)) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX sessions_token ON public.sessions USING btree (app_id, token_hash) WHERE (token_hash IS NOT NULL);

CREATE INDEX sessions_user ON public.sessions USING btree (app_id, user_id);

CREATE UNIQUE INDEX signing_keys_active ON public.signing_keys USING btree (app_id, algorithm) WHERE (state = 'active'::text);

CREATE INDEX signing_keys_age ON public.signing_keys USING btree (activated_at) WHERE (state = 'active'::text);

CREATE UNIQUE INDEX signing_keys_next ON public.signing_keys USING btree (app_id, algorithm) WHERE (state = 'next'::text);

CREATE INDEX signing_keys_retired ON public.signing_keys USING btree (retired_at) WHERE (state = 'retired'::text);

CREATE INDEX signing_keys_waiting ON public.signing_keys USING btree (created_at) WHERE (state = 'next'::text);

CREATE INDEX token_families_session ON public.token_families USING btree (app_id, session_id);

CREATE UNIQUE INDEX user_factors_confirmed ON public.user_factors USING btree (app_id, user_id) WHERE (confirmed_at IS NOT NULL);

CREATE INDEX user_factors_user ON public.user_factors USING btree (app_id, user_id);

CREATE UNIQUE INDEX user_factors_waiting ON public.user_factors USING btree (app_id, user_id) WHERE (confirmed_at IS NULL);

CREATE INDEX user_roles_role ON public.user_roles USING btree (app_id, role_id, user_id);

CREATE INDEX users_search ON public.users USING btree (app_id, email COLLATE "C");

CREATE INDEX users_time ON public.users USING btree (app_id, created_at, id);

CREATE INDEX users_unverified ON public.users USING btree (created_at) WHERE ((email_verified_at IS NULL) AND (state = 'active'::text));

CREATE INDEX webhook_endpoints_failing ON public.webhook_endpoints USING btree (first_failed_at) WHERE ((state = 'enabled'::text) AND (first_failed_at IS NOT NULL));

CREATE UNIQUE INDEX webhook_secrets_endpoint ON public.webhook_secrets USING btree (app_id, endpoint_id, ((expires_at IS NULL)));

ALTER INDEX public.deliveries_time ATTACH PARTITION public.deliveries_default_app_id_created_at_id_idx;

ALTER INDEX public.deliveries_undelivered ATTACH PARTITION public.deliveries_default_app_id_created_at_id_idx1;

ALTER INDEX public.deliveries_recipient ATTACH PARTITION public.deliveries_default_app_id_recipient_hash_ended_at_idx;

ALTER INDEX public.deliveries_replays ATTACH PARTITION public.deliveries_default_app_id_replay_of_idx;

ALTER INDEX public.deliveries_user ATTACH PARTITION public.deliveries_default_app_id_user_id_ended_at_idx;

ALTER INDEX public.deliveries_pkey ATTACH PARTITION public.deliveries_default_pkey;

ALTER INDEX public.delivery_attempts_pkey ATTACH PARTITION public.delivery_attempts_default_pkey;

ALTER TABLE ONLY public.admin_grants
    ADD CONSTRAINT admin_grants_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.admin_invitations
    ADD CONSTRAINT admin_invitations_flow_fkey FOREIGN KEY (app_id, flow_id) REFERENCES public.flows(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.admin_invitations
    ADD CONSTRAINT admin_invitations_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.audit_export_parts
    ADD CONSTRAINT audit_export_parts_export_fkey FOREIGN KEY (app_id, export_id) REFERENCES public.audit_exports(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.audit_exports
    ADD CONSTRAINT audit_exports_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT authorization_codes_client_fkey FOREIGN KEY (app_id, client_id) REFERENCES public.clients(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT authorization_codes_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.authorization_requests
    ADD CONSTRAINT authorization_requests_client_fkey FOREIGN KEY (app_id, client_id) REFERENCES public.clients(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.captured_mails
    ADD CONSTRAINT captured_mails_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.client_assertions
    ADD CONSTRAINT client_assertions_client_fkey FOREIGN KEY (app_id, client_id) REFERENCES public.clients(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.client_redirect_uris
    ADD CONSTRAINT client_redirect_uris_client_fkey FOREIGN KEY (app_id, client_id) REFERENCES public.clients(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.client_secrets
    ADD CONSTRAINT client_secrets_client_fkey FOREIGN KEY (app_id, client_id) REFERENCES public.clients(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.consents
    ADD CONSTRAINT consents_client_fkey FOREIGN KEY (app_id, client_id) REFERENCES public.clients(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.consents
    ADD CONSTRAINT consents_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.factor_challenges
    ADD CONSTRAINT factor_challenges_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.flows
    ADD CONSTRAINT flows_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.flows
    ADD CONSTRAINT flows_request_fkey FOREIGN KEY (app_id, request_id) REFERENCES public.authorization_requests(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.flows
    ADD CONSTRAINT flows_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.identity_providers
    ADD CONSTRAINT identity_providers_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.provider_sign_ins
    ADD CONSTRAINT provider_sign_ins_provider_fkey FOREIGN KEY (app_id, provider_id) REFERENCES public.identity_providers(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.provider_sign_ins
    ADD CONSTRAINT provider_sign_ins_request_fkey FOREIGN KEY (app_id, request_id) REFERENCES public.authorization_requests(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.provider_sign_ins
    ADD CONSTRAINT provider_sign_ins_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.pushed_requests
    ADD CONSTRAINT pushed_requests_client_fkey FOREIGN KEY (app_id, client_id) REFERENCES public.clients(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_family_fkey FOREIGN KEY (app_id, family_id) REFERENCES public.token_families(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.roles
    ADD CONSTRAINT roles_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_client_fkey FOREIGN KEY (app_id, client_id) REFERENCES public.clients(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.subject_secrets
    ADD CONSTRAINT subject_secrets_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.token_families
    ADD CONSTRAINT token_families_session_fkey FOREIGN KEY (app_id, session_id) REFERENCES public.sessions(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_factors
    ADD CONSTRAINT user_factors_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_identities
    ADD CONSTRAINT user_identities_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT user_roles_role_fkey FOREIGN KEY (app_id, role_id) REFERENCES public.roles(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT user_roles_user_fkey FOREIGN KEY (app_id, user_id) REFERENCES public.users(app_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.apps(id);

ALTER TABLE ONLY public.webhook_secrets
    ADD CONSTRAINT webhook_secrets_endpoint_fkey FOREIGN KEY (app_id, endpoint_id) REFERENCES public.webhook_endpoints(app_id, id) ON DELETE CASCADE;

ALTER TABLE public.admin_grants ENABLE ROW LEVEL SECURITY;

CREATE POLICY admin_grants_of_app ON public.admin_grants TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY admin_grants_of_worker ON public.admin_grants FOR SELECT TO gatepost_worker USING (true);

ALTER TABLE public.admin_invitations ENABLE ROW LEVEL SECURITY;

CREATE POLICY admin_invitations_of_app ON public.admin_invitations TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY;

CREATE POLICY api_keys_of_app ON public.api_keys TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

ALTER TABLE public.apps ENABLE ROW LEVEL SECURITY;

CREATE POLICY apps_of_app ON public.apps TO gatepost_app USING ((id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY apps_of_worker ON public.apps FOR SELECT TO gatepost_worker USING (true);

ALTER TABLE public.audit_events ENABLE ROW LEVEL SECURITY;

CREATE POLICY audit_events_of_app ON public.audit_events TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY audit_events_of_worker ON public.audit_events TO gatepost_worker USING (true) WITH CHECK (true);

ALTER TABLE public.audit_export_parts ENABLE ROW LEVEL SECURITY;

CREATE POLICY audit_export_parts_of_app ON public.audit_export_parts TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY audit_export_parts_of_worker ON public.audit_export_parts TO gatepost_worker USING (true);

ALTER TABLE public.audit_exports ENABLE ROW LEVEL SECURITY;

CREATE POLICY audit_exports_of_app ON public.audit_exports TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY audit_exports_of_worker ON public.audit_exports TO gatepost_worker USING (true);

ALTER TABLE public.authorization_codes ENABLE ROW LEVEL SECURITY;

CREATE POLICY authorization_codes_of_app ON public.authorization_codes TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY authorization_codes_of_worker ON public.authorization_codes TO gatepost_worker USING (true);

ALTER TABLE public.authorization_requests ENABLE ROW LEVEL SECURITY;

CREATE POLICY authorization_requests_of_app ON public.authorization_requests TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY authorization_requests_of_worker ON public.authorization_requests TO gatepost_worker USING (true);

ALTER TABLE public.captured_mails ENABLE ROW LEVEL SECURITY;

CREATE POLICY captured_mails_of_app ON public.captured_mails TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY captured_mails_of_worker ON public.captured_mails TO gatepost_worker USING (true);

ALTER TABLE public.client_assertions ENABLE ROW LEVEL SECURITY;

CREATE POLICY client_assertions_of_app ON public.client_assertions TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY client_assertions_of_worker ON public.client_assertions TO gatepost_worker USING (true);

ALTER TABLE public.client_redirect_uris ENABLE ROW LEVEL SECURITY;

CREATE POLICY client_redirect_uris_of_app ON public.client_redirect_uris TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

ALTER TABLE public.client_secrets ENABLE ROW LEVEL SECURITY;

CREATE POLICY client_secrets_of_app ON public.client_secrets TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

ALTER TABLE public.clients ENABLE ROW LEVEL SECURITY;

CREATE POLICY clients_of_app ON public.clients TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

ALTER TABLE public.consents ENABLE ROW LEVEL SECURITY;

CREATE POLICY consents_of_app ON public.consents TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

ALTER TABLE public.credentials ENABLE ROW LEVEL SECURITY;

CREATE POLICY credentials_of_app ON public.credentials TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

ALTER TABLE public.deliveries ENABLE ROW LEVEL SECURITY;

CREATE POLICY deliveries_of_app ON public.deliveries TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY deliveries_of_worker ON public.deliveries TO gatepost_worker USING (true) WITH CHECK (true);

ALTER TABLE public.delivery_attempts ENABLE ROW LEVEL SECURITY;

CREATE POLICY delivery_attempts_of_app ON public.delivery_attempts TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY delivery_attempts_of_worker ON public.delivery_attempts TO gatepost_worker USING (true) WITH CHECK (true);

ALTER TABLE public.factor_challenges ENABLE ROW LEVEL SECURITY;

CREATE POLICY factor_challenges_of_app ON public.factor_challenges TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY factor_challenges_of_worker ON public.factor_challenges TO gatepost_worker USING (true);

ALTER TABLE public.flows ENABLE ROW LEVEL SECURITY;

CREATE POLICY flows_of_app ON public.flows TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY flows_of_worker ON public.flows TO gatepost_worker USING (true);

ALTER TABLE public.idempotency_keys ENABLE ROW LEVEL SECURITY;

CREATE POLICY idempotency_keys_of_app ON public.idempotency_keys TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY idempotency_keys_of_worker ON public.idempotency_keys TO gatepost_worker USING (true);

ALTER TABLE public.identity_providers ENABLE ROW LEVEL SECURITY;

CREATE POLICY identity_providers_of_app ON public.identity_providers TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

ALTER TABLE public.job_runs ENABLE ROW LEVEL SECURITY;

CREATE POLICY job_runs_of_worker ON public.job_runs TO gatepost_worker USING (true) WITH CHECK (true);

ALTER TABLE public.outbox ENABLE ROW LEVEL SECURITY;

CREATE POLICY outbox_of_app ON public.outbox TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY outbox_of_worker ON public.outbox TO gatepost_worker USING (true) WITH CHECK (true);

ALTER TABLE public.provider_sign_ins ENABLE ROW LEVEL SECURITY;

CREATE POLICY provider_sign_ins_of_app ON public.provider_sign_ins TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY provider_sign_ins_of_worker ON public.provider_sign_ins TO gatepost_worker USING (true);

ALTER TABLE public.pushed_requests ENABLE ROW LEVEL SECURITY;

CREATE POLICY pushed_requests_of_app ON public.pushed_requests TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY pushed_requests_of_worker ON public.pushed_requests TO gatepost_worker USING (true);

ALTER TABLE public.rate_limits ENABLE ROW LEVEL SECURITY;

CREATE POLICY rate_limits_of_app ON public.rate_limits TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY rate_limits_of_worker ON public.rate_limits TO gatepost_worker USING (true);

ALTER TABLE public.recovery_codes ENABLE ROW LEVEL SECURITY;

CREATE POLICY recovery_codes_of_app ON public.recovery_codes TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

ALTER TABLE public.refresh_tokens ENABLE ROW LEVEL SECURITY;

CREATE POLICY refresh_tokens_of_app ON public.refresh_tokens TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY refresh_tokens_of_worker ON public.refresh_tokens TO gatepost_worker USING (true);

ALTER TABLE public.roles ENABLE ROW LEVEL SECURITY;

CREATE POLICY roles_of_app ON public.roles TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

ALTER TABLE public.sessions ENABLE ROW LEVEL SECURITY;

CREATE POLICY sessions_of_app ON public.sessions TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY sessions_of_worker ON public.sessions TO gatepost_worker USING (true);

ALTER TABLE public.signing_keys ENABLE ROW LEVEL SECURITY;

CREATE POLICY signing_keys_of_app ON public.signing_keys TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY signing_keys_of_worker ON public.signing_keys TO gatepost_worker USING (true);

ALTER TABLE public.subject_secrets ENABLE ROW LEVEL SECURITY;

CREATE POLICY subject_secrets_of_app ON public.subject_secrets TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

ALTER TABLE public.token_families ENABLE ROW LEVEL SECURITY;

CREATE POLICY token_families_of_app ON public.token_families TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY token_families_of_worker ON public.token_families TO gatepost_worker USING (true);

ALTER TABLE public.user_factors ENABLE ROW LEVEL SECURITY;

CREATE POLICY user_factors_of_app ON public.user_factors TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

ALTER TABLE public.user_identities ENABLE ROW LEVEL SECURITY;

CREATE POLICY user_identities_of_app ON public.user_identities TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY user_identities_of_worker ON public.user_identities FOR SELECT TO gatepost_worker USING (true);

ALTER TABLE public.user_roles ENABLE ROW LEVEL SECURITY;

CREATE POLICY user_roles_of_app ON public.user_roles TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY user_roles_of_worker ON public.user_roles FOR SELECT TO gatepost_worker USING (true);

ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;

CREATE POLICY users_deleted_by_worker ON public.users FOR DELETE TO gatepost_worker USING ((email_verified_at IS NULL));

CREATE POLICY users_locked_by_worker ON public.users FOR UPDATE TO gatepost_worker USING ((email_verified_at IS NULL)) WITH CHECK (false);

CREATE POLICY users_of_app ON public.users TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY users_of_worker ON public.users FOR SELECT TO gatepost_worker USING (true);

ALTER TABLE public.webhook_endpoints ENABLE ROW LEVEL SECURITY;

CREATE POLICY webhook_endpoints_of_app ON public.webhook_endpoints TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

CREATE POLICY webhook_endpoints_of_worker ON public.webhook_endpoints TO gatepost_worker USING (true);

ALTER TABLE public.webhook_secrets ENABLE ROW LEVEL SECURITY;

CREATE POLICY webhook_secrets_of_app ON public.webhook_secrets TO gatepost_app USING ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid)) WITH CHECK ((app_id = (NULLIF(current_setting('gatepost.app_id'::text, true), ''::text))::uuid));

GRANT ALL ON SCHEMA public TO gatepost_owner;
GRANT USAGE ON SCHEMA public TO gatepost_app;
GRANT USAGE ON SCHEMA public TO gatepost_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.admin_grants TO gatepost_app;
GRANT SELECT ON TABLE public.admin_grants TO gatepost_worker;

GRANT SELECT,INSERT ON TABLE public.admin_invitations TO gatepost_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.api_keys TO gatepost_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.apps TO gatepost_app;
GRANT SELECT ON TABLE public.apps TO gatepost_worker;

GRANT SELECT,INSERT ON TABLE public.audit_events TO gatepost_app;
GRANT SELECT,INSERT,DELETE ON TABLE public.audit_events TO gatepost_worker;

GRANT SELECT,INSERT ON TABLE public.audit_export_parts TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.audit_export_parts TO gatepost_worker;

GRANT SELECT,INSERT,UPDATE ON TABLE public.audit_exports TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.audit_exports TO gatepost_worker;

GRANT SELECT,INSERT,UPDATE ON TABLE public.authorization_codes TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.authorization_codes TO gatepost_worker;

GRANT SELECT,INSERT,UPDATE ON TABLE public.authorization_requests TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.authorization_requests TO gatepost_worker;

GRANT SELECT,INSERT,DELETE ON TABLE public.captured_mails TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.captured_mails TO gatepost_worker;

GRANT SELECT,INSERT ON TABLE public.client_assertions TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.client_assertions TO gatepost_worker;

GRANT SELECT,INSERT,DELETE ON TABLE public.client_redirect_uris TO gatepost_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.client_secrets TO gatepost_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.clients TO gatepost_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.consents TO gatepost_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.credentials TO gatepost_app;

GRANT SELECT,INSERT ON TABLE public.deliveries TO gatepost_app;
GRANT SELECT,INSERT,DELETE ON TABLE public.deliveries TO gatepost_worker;

GRANT SELECT,INSERT ON TABLE public.delivery_attempts TO gatepost_app;
GRANT SELECT,INSERT,DELETE ON TABLE public.delivery_attempts TO gatepost_worker;

GRANT SELECT,INSERT,UPDATE ON TABLE public.factor_challenges TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.factor_challenges TO gatepost_worker;

GRANT SELECT,INSERT,UPDATE ON TABLE public.flows TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.flows TO gatepost_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.idempotency_keys TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.idempotency_keys TO gatepost_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.identity_providers TO gatepost_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.job_runs TO gatepost_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.outbox TO gatepost_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.outbox TO gatepost_worker;

GRANT SELECT ON TABLE public.ledger TO gatepost_app;
GRANT SELECT ON TABLE public.ledger TO gatepost_worker;

GRANT SELECT,INSERT,UPDATE ON TABLE public.provider_sign_ins TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.provider_sign_ins TO gatepost_worker;

GRANT SELECT,INSERT,UPDATE ON TABLE public.pushed_requests TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.pushed_requests TO gatepost_worker;

GRANT SELECT,INSERT,UPDATE ON TABLE public.rate_limits TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.rate_limits TO gatepost_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.recovery_codes TO gatepost_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.refresh_tokens TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.refresh_tokens TO gatepost_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.roles TO gatepost_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.sessions TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.sessions TO gatepost_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.signing_keys TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.signing_keys TO gatepost_worker;

GRANT SELECT,INSERT,UPDATE ON TABLE public.subject_secrets TO gatepost_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.token_families TO gatepost_app;
GRANT SELECT,UPDATE ON TABLE public.token_families TO gatepost_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_factors TO gatepost_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_identities TO gatepost_app;
GRANT SELECT ON TABLE public.user_identities TO gatepost_worker;

GRANT SELECT,INSERT,DELETE ON TABLE public.user_roles TO gatepost_app;
GRANT SELECT ON TABLE public.user_roles TO gatepost_worker;

GRANT SELECT,INSERT,UPDATE ON TABLE public.users TO gatepost_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.users TO gatepost_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.webhook_endpoints TO gatepost_app;
GRANT SELECT,UPDATE ON TABLE public.webhook_endpoints TO gatepost_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.webhook_secrets TO gatepost_app;

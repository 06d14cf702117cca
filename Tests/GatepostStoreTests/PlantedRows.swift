import GatepostModel
import GatepostStore
import Postgres
import TestSupport

/// One row for each table of an app, as the app's own role writes it; a test fails when a table is missing here.
struct PlantedRows {
    let app: AppID
    private let random = SeededRandom()
    private let now = TestClock.start
    private let ids: [UserID]

    init(of app: AppID) {
        self.app = app
        ids = (0..<8).map { [random] _ in .make(at: TestClock.start, random: random) }
    }

    /// Table and statement, in an order in which each finds what it refers to.
    var inserts: [(table: String, statement: SQL)] {
        [("apps", appRow), ("clients", client), ("client_redirect_uris", redirectURI), ("users", user)]
            + [("credentials", credential), ("flows", flow), ("sessions", session), ("token_families", family)]
            + [("refresh_tokens", refreshToken), ("authorization_codes", code), ("signing_keys", signingKey)]
            + [("outbox", message), ("deliveries", delivery), ("delivery_attempts", attempt)]
            + [("audit_events", event), ("rate_limits", limit), ("idempotency_keys", idempotencyKey)]
            + [("webhook_endpoints", webhookEndpoint), ("webhook_secrets", webhookSecret)]
            + [("identity_providers", identityProvider), ("user_identities", userIdentity)]
            + [("audit_exports", auditExport), ("audit_export_parts", auditExportPart)]
            + [("authorization_requests", authorizationRequest)]
            + [("roles", role), ("user_roles", userRole), ("captured_mails", capturedMail)]
            + [("admin_grants", adminGrant), ("api_keys", apiKey), ("admin_invitations", invitation)]
            + [("provider_sign_ins", providerSignIn)]
            + [("client_secrets", clientSecret), ("client_assertions", clientAssertion)]
            + [("pushed_requests", pushedRequest), ("consents", consent), ("subject_secrets", subjectSecret)]
            + [("user_factors", userFactor), ("recovery_codes", recoveryCode)]
            + [("factor_challenges", factorChallenge)]
    }

    private var user: SQL {
        """
        insert into users (app_id, id, email, email_entered, state, auth_epoch, created_at)
        values (\(app), \(ids[0]), 'ada@example.com', 'ada@example.com', 'active', 1, \(now))
        """
    }

    private var client: SQL {
        "insert into clients (app_id, id, name, created_at) values (\(app), \(ids[1]), 'Web', \(now))"
    }

    private var clientSecret: SQL {
        """
        insert into client_secrets (app_id, id, client_id, prefix, secret_hash, created_at)
        values (\(app), \(ids[2]), \(ids[1]), 'gcs_12345678', '\\x01', \(now))
        """
    }

    private var clientAssertion: SQL {
        "insert into client_assertions values (\(app), \(ids[1]), '\\x01', \(now))"
    }

    private var pushedRequest: SQL {
        "insert into pushed_requests values (\(app), '\\x01', \(ids[1]), '[]', \(now), \(now))"
    }

    private var consent: SQL {
        """
        insert into consents (app_id, user_id, client_id, scopes, request_id, created_at, granted_at)
        values (\(app), \(ids[0]), \(ids[1]), '{openid}', \(ids[6]), \(now), \(now))
        """
    }

    private var subjectSecret: SQL {
        "insert into subject_secrets (app_id, secret_sealed, created_at) values (\(app), '\\x00', \(now))"
    }

    private var userFactor: SQL {
        """
        insert into user_factors (app_id, id, user_id, kind, begun_by, seed_sealed, created_at, expires_at)
        values (\(app), \(ids[2]), \(ids[0]), 'totp', \(ids[2]), '\\x01', \(now), \(now))
        """
    }

    private var recoveryCode: SQL {
        """
        insert into recovery_codes (app_id, user_id, code_hash, created_at)
        values (\(app), \(ids[0]), '\\x01', \(now))
        """
    }

    private var factorChallenge: SQL {
        """
        insert into factor_challenges (app_id, id, token_hash, user_id, auth_epoch, is_hosted, amr, authenticated_at,
                                       attempt_count, created_at, expires_at)
        values (\(app), \(ids[2]), '\\x01', \(ids[0]), 1, false, '{pwd}', \(now), 0, \(now), \(now))
        """
    }

    private var appRow: SQL {
        "insert into apps (id, name, state, settings, created_at) values (\(app), 'App', 'active', '{}', \(now))"
    }

    private var redirectURI: SQL {
        "insert into client_redirect_uris (app_id, client_id, uri) values (\(app), \(ids[1]), 'https://app.example/')"
    }

    private var credential: SQL {
        """
        insert into credentials (app_id, user_id, kind, password_hash, version, created_at, changed_at)
        values (\(app), \(ids[0]), 'password', '$test$', 1, \(now), \(now))
        """
    }

    private var flow: SQL {
        """
        insert into flows (app_id, id, kind, state, user_id, email, auth_epoch, secret_epoch, token_hash, link_hash,
                           code_hash, created_at, expires_at)
        values (\(app), \(ids[2]), 'sign_up', 'pending', \(ids[0]), 'ada@example.com', 1, 1, '\\x01',
                \(ids[2].uuid.bytes), '\\x03', \(now), \(now))
        """
    }

    private var session: SQL {
        """
        insert into sessions (app_id, id, user_id, client_id, auth_epoch, amr, authenticated_at, created_at,
                              last_used_at, idle_expires_at, expires_at)
        values (\(app), \(ids[3]), \(ids[0]), \(ids[1]), 1, '{pwd}', \(now), \(now), \(now), \(now), \(now))
        """
    }

    private var family: SQL {
        """
        insert into token_families (app_id, id, session_id, client_id, created_at, expires_at)
        values (\(app), \(ids[4]), \(ids[3]), \(ids[1]), \(now), \(now))
        """
    }

    private var refreshToken: SQL {
        """
        insert into refresh_tokens (app_id, token_hash, family_id, generation, auth_epoch, created_at, expires_at)
        values (\(app), \(ids[4].uuid.bytes), \(ids[4]), 1, 1, \(now), \(now))
        """
    }

    private var code: SQL {
        """
        insert into authorization_codes (app_id, code_hash, client_id, user_id, auth_epoch, redirect_uri,
                                         code_challenge, amr, authenticated_at, created_at, expires_at)
        values (\(app), \(ids[5].uuid.bytes), \(ids[1]), \(ids[0]), 1, 'https://app.example/', 'challenge', '{pwd}',
                \(now), \(now), \(now))
        """
    }

    private var authorizationRequest: SQL {
        """
        insert into authorization_requests (app_id, id, client_id, redirect_uri, code_challenge, browser_hash,
                                            created_at, expires_at)
        values (\(app), \(ids[6]), \(ids[1]), 'https://app.example/', 'challenge', '\\x01', \(now), \(now))
        """
    }

    private var signingKey: SQL {
        """
        insert into signing_keys (app_id, id, algorithm, state, public_key, private_sealed, created_at)
        values (\(app), \(ids[6]), 'ES256', 'next', '\\x04', '\\x00', \(now))
        """
    }

    private var message: SQL {
        """
        insert into outbox (app_id, id, kind, lane, route, ready, due_at, expires_at, payload, created_at)
        values (\(app), \(ids[7]), 'mail.verification', 'interactive', 'mail', false, 'infinity', 'infinity', '{}',
                \(now))
        """
    }

    private var delivery: SQL {
        """
        insert into deliveries (app_id, id, kind, lane, route, outcome, attempt_count, payload, created_at, ended_at)
        values (\(app), \(ids[6]), 'mail.verification', 'interactive', 'mail', 'delivered', 1, '{}', \(now), \(now))
        """
    }

    private var attempt: SQL {
        """
        insert into delivery_attempts (app_id, message_id, claim_number, outcome, reply, started_at, ended_at)
        values (\(app), \(ids[6]), 1, 'delivered', '250 ok', \(now), \(now))
        """
    }

    private var event: SQL {
        """
        insert into audit_events (app_id, id, kind, actor_kind, details, created_at)
        values (\(app), \(ids[5]), 'sign_up.started', 'anyone', '{}', \(now))
        """
    }

    private var limit: SQL {
        """
        insert into rate_limits (app_id, key_hash, window_at, count, expires_at)
        values (\(app), '\\x01', \(now), 1, \(now))
        """
    }

    private var idempotencyKey: SQL {
        """
        insert into idempotency_keys (app_id, key_hash, request_hash, reference, created_at, expires_at)
        values (\(app), '\\x01', '\\x02', '{}', \(now), \(now))
        """
    }

    private var adminGrant: SQL {
        """
        insert into admin_grants (app_id, id, user_id, role, created_at)
        values (\(app), \(ids[1]), \(ids[0]), 'auditor', \(now))
        """
    }

    private var identityProvider: SQL {
        """
        insert into identity_providers (app_id, id, name, kind, label, issuer, client_id, secret_sealed, scopes,
                                        allows_sign_up, keeps_tokens, state, created_at, changed_at, secret_changed_at)
        values (\(app), \(ids[6]), 'google', 'google', 'Google', 'https://accounts.google.com', 'c', '\\x01',
                '{openid}', true, false, 'enabled', \(now), \(now), \(now))
        """
    }

    private var userIdentity: SQL {
        """
        insert into user_identities (app_id, id, user_id, issuer, subject, created_at, last_used_at)
        values (\(app), \(ids[6]), \(ids[0]), 'https://accounts.google.com', '1', \(now), \(now))
        """
    }

    private var providerSignIn: SQL {
        """
        insert into provider_sign_ins (app_id, id, provider_id, request_id, state_hash, browser_hash, secret_epoch,
                                       created_at, expires_at)
        values (\(app), \(ids[6]), \(ids[6]), \(ids[6]), \(ids[6].uuid.bytes), '\\x02', 1, \(now), \(now))
        """
    }

    private var webhookEndpoint: SQL {
        """
        insert into webhook_endpoints (app_id, id, url, description, event_types, state, created_at, changed_at)
        values (\(app), \(ids[2]), 'https://hooks.example.com/', '', '{user.created}', 'enabled', \(now), \(now))
        """
    }

    private var webhookSecret: SQL {
        """
        insert into webhook_secrets (app_id, id, endpoint_id, secret_sealed, created_at)
        values (\(app), \(ids[3]), \(ids[2]), '\\x00', \(now))
        """
    }

    private var invitation: SQL {
        "insert into admin_invitations (app_id, flow_id, role) values (\(app), \(ids[2]), 'auditor')"
    }

    private var apiKey: SQL {
        """
        insert into api_keys (app_id, id, name, prefix, key_hash, role, created_at, expires_at)
        values (\(app), \(ids[1]), 'Key', 'gak_12345678', \(ids[1].uuid.bytes), 'auditor', \(now), \(now))
        """
    }

    private var role: SQL {
        """
        insert into roles (app_id, id, name, description, permissions, created_at, changed_at)
        values (\(app), \(ids[2]), 'editor', '', '{documents:write}', \(now), \(now))
        """
    }

    private var userRole: SQL {
        "insert into user_roles (app_id, user_id, role_id, assigned_at) values (\(app), \(ids[0]), \(ids[2]), \(now))"
    }

    private var capturedMail: SQL {
        """
        insert into captured_mails (app_id, id, kind, recipient, content_sealed, captured_at)
        values (\(app), \(ids[7]), 'mail.verification', 'ada@example.com', '\\x00', \(now))
        """
    }

    private var auditExport: SQL {
        """
        insert into audit_exports (app_id, id, state, format, until_at, actor_kind, actor_id, horizon_id,
                                   position_transaction_id, position_event_id, part_count, row_count, byte_count,
                                   created_at, expires_at)
        values (\(app), \(ids[2]), 'running', 'csv', \(now), 'api_key', \(ids[1]), '3', '3', \(ids[1]), 1, 0, 1, \(now),
                \(now))
        """
    }

    private var auditExportPart: SQL {
        """
        insert into audit_export_parts (app_id, export_id, number, byte_offset, bytes)
        values (\(app), \(ids[2]), 0, 0, '\\x20')
        """
    }
}

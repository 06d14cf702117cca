import GatepostModel
import GatepostWorkers
import Postgres
import TestSupport
import Testing

@Suite("Job delete-expired-provider-sign-ins", .ownDatabase)
struct DeleteExpiredProviderSignInsTests {
    @Test func `ways to a provider stay for a day after they expired`() async throws {
        try await JobFixture.with { fixture in
            let (one, other) = (try await fixture.makeApp(), try await fixture.makeApp())
            let edge = JobFixture.now - .hours(24)
            try await insert("fresh", of: one, expiresAt: JobFixture.now + .seconds(60), in: fixture)
            try await insert("at-edge", of: one, expiresAt: edge, in: fixture)
            try await insert("past", of: one, expiresAt: edge - .microseconds(1), in: fixture)
            try await insert("past-other", of: other, expiresAt: edge - .microseconds(1), in: fixture)

            let report = try await fixture.runner.run("delete-expired-provider-sign-ins", at: JobFixture.now)

            #expect(report.rowsByApp == [one.id: 1, other.id: 1])
            #expect(
                try await fixture.texts("select convert_from(state_hash, 'UTF8') from provider_sign_ins order by 1")
                    == ["at-edge", "fresh"])
        }
    }

    private func insert(
        _ label: String, of app: JobFixture.App, expiresAt: Instant, in fixture: JobFixture
    ) async throws {
        let provider: IdentityProviderID = fixture.newID()
        let request: AuthorizationRequestID = fixture.newID()
        try await fixture.execute(
            """
            with p as (
                   insert into identity_providers (app_id, id, name, kind, label, issuer, client_id, secret_sealed,
                                                   scopes, allows_sign_up, keeps_tokens, state, created_at,
                                                   changed_at, secret_changed_at)
                   values (\(app.id), \(provider), \(label), 'openid', 'Up', 'https://' || \(label)::text, 'c', '',
                           '{openid}', true, false, 'enabled', \(expiresAt), \(expiresAt), \(expiresAt))),
                 r as (
                   insert into authorization_requests (app_id, id, client_id, redirect_uri, code_challenge,
                                                       browser_hash, created_at, expires_at)
                   values (\(app.id), \(request), \(app.client), 'https://app.example/', '', '', \(expiresAt),
                           \(expiresAt)))
            insert into provider_sign_ins (app_id, id, provider_id, request_id, state_hash, browser_hash, secret_epoch,
                                           created_at, expires_at)
            values (\(app.id), \(fixture.newID(ProviderSignInID.self)), \(provider), \(request),
                    \(label)::text::bytea, '', 1, \(expiresAt), \(expiresAt))
            """)
    }
}

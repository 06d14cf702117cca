import Curl
import Foundation
import GatepostAPI
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

/// What one app has, and how it is tried on another.
struct Belongings {
    struct Attempt {
        let what: String
        let method: String
        let path: String
        let headers: KeyValuePairs<String, String>
        let body: [UInt8]?
    }

    /// A user's access token, a key for this app only, and one for all apps.
    private let access: String
    private let key: String
    private let globalKey: String
    /// By the name in a path.
    private let ids: [String: String]
    /// What a public route takes, by method and path.
    private let bodies: [String: String]

    /// Routes that take nothing of an app's: anybody may do this, in any app.
    private static let open: Set<String> = [
        "POST /v1/apps/{app}/sign-ups",
        "GET /apps/{app}/.well-known/openid-configuration",
        "GET /.well-known/oauth-authorization-server/apps/{app}",
        "GET /apps/{app}/jwks.json",
        "POST /apps/{app}/oauth/authorize",
        "POST /apps/{app}/providers/{name}/callback",
        "GET /apps/{app}/sign-in",
        "GET /apps/{app}/sign-in/email",
        "POST /apps/{app}/sign-in/email",
        "GET /apps/{app}/password-reset",
        "POST /apps/{app}/password-reset",
        "POST /v1/apps/{app}/password-resets",
        "GET /apps/{app}/sign-up",
        "POST /apps/{app}/sign-up",
        "GET /apps/{app}/sign-out",
        "POST /apps/{app}/sign-out",
        // Of another app's ID token nothing follows, which `LogoutTests` shows.
        "GET /apps/{app}/oauth/logout",
        "POST /apps/{app}/oauth/logout",
        // Known by a cookie alone, which `AccountPageTests` tries in another app.
        "GET /apps/{app}/account",
        "POST /apps/{app}/account/sessions/end-others",
        "GET /apps/{app}/consent", "POST /apps/{app}/consent", "POST /apps/{app}/account/consents/{client}/revoke",
        "POST /apps/{app}/account/sessions/{session}/end",
        "GET /apps/{app}/account/password",
        "POST /apps/{app}/account/password",
        "GET /apps/{app}/account/email",
        "POST /apps/{app}/account/email",
        "POST /apps/{app}/account/email/code",
        "POST /apps/{app}/account/identities/{identity}/unlink",
        "POST /apps/{app}/account/providers/{name}/link",
        // Known by a cookie alone, whose name says the app; `FactorWayTests` tries a challenge in another one.
        "GET /apps/{app}/sign-in/factor",
        "POST /apps/{app}/sign-in/factor",
        "POST /apps/{app}/sign-in/factor/begin",
        "GET /apps/{app}/sign-in/factor/enrol",
        "POST /apps/{app}/sign-in/factor/enrol",
        "POST /apps/{app}/sign-in/factor/finish",
        "GET /apps/{app}/account/factor",
        "POST /apps/{app}/account/factor",
        "GET /apps/{app}/account/factor/enrol",
        "POST /apps/{app}/account/factor/enrol",
        "POST /apps/{app}/account/factor/remove",
        "POST /apps/{app}/account/factor/recovery-codes",
    ]

    /// What a write of the admin API takes to be carried out, were it allowed.
    private static let adminBodies: [String: String] = [
        "POST /v1/admin/apps/{app}/roles": #"{"name": "other", "permissions": []}"#,
        "PATCH /v1/admin/apps/{app}/roles/{role}": #"{"name": "other"}"#,
        "PUT /v1/admin/apps/{app}/users/{user}/roles/{role}": "",
        "PUT /v1/admin/apps/{app}/users/{user}/claims": #"{"claims": {"plan": "taken"}}"#,
        "PATCH /v1/admin/apps/{app}": #"{"name": "Taken"}"#,
        "POST /v1/admin/apps/{app}/clients": #"{"name": "Other", "type": "confidential"}"#,
        "PATCH /v1/admin/apps/{app}/clients/{client}": #"{"name": "Taken"}"#,
        "POST /v1/admin/apps/{app}/clients/{client}/rotate-secret": "{}",
        "POST /v1/admin/apps/{app}/suspend": "{}",
        "POST /v1/admin/apps/{app}/resume": "{}",
        "POST /v1/admin/apps/{app}/users/{user}/deactivate": "{}",
        "POST /v1/admin/apps/{app}/users/{user}/reactivate": "{}",
        "POST /v1/admin/apps/{app}/users/{user}/reset-factors": "{}",
        "POST /v1/admin/apps/{app}/audit-exports": #"{"format": "csv"}"#,
        "POST /v1/admin/apps/{app}/deliveries/redrive":
            #"{"since": "2020-01-01T00:00:00Z", "until": "2040-01-01T00:00:00Z"}"#,
        "POST /v1/admin/apps/{app}/deliveries/{message}/cancel": "{}",
        "POST /v1/admin/apps/{app}/deliveries/{message}/hold": "{}",
        "POST /v1/admin/apps/{app}/deliveries/{message}/release": "{}",
        "POST /v1/admin/apps/{app}/deliveries/{message}/resend": "{}",
        "POST /v1/admin/apps/{app}/deliveries/{message}/redrive": "{}",
        "POST /v1/admin/apps/{app}/identity-providers":
            #"{"name": "other", "kind": "google", "client_id": "c", "secret": "s"}"#,
        "PATCH /v1/admin/apps/{app}/identity-providers/{provider}": #"{"state": "disabled"}"#,
        "POST /v1/admin/apps/{app}/webhook-endpoints":
            #"{"url": "https://hooks.example.com/", "event_types": ["user.created"]}"#,
        "PATCH /v1/admin/apps/{app}/webhook-endpoints/{endpoint}": #"{"state": "disabled"}"#,
        "POST /v1/admin/apps/{app}/webhook-endpoints/{endpoint}/rotate-secret": "{}",
    ]

    init(of server: TestServer) async throws {
        try await server.verifiedUser()
        let code = try #require(try await server.signIn().field("code"))
        access = try await server.session().access
        key = try await server.apiKey(.admin, in: server.app.id)
        globalKey = try await server.apiKey(.admin)
        let begun = try await server.begin("second@example.com")
        let user = try #require(try await server.me(access).field("user.id"))
        let client = try await server.confidentialClient()
        let secret = try await server.admin("GET", "\(server.adminAPI)/clients/\(client.id)", key: key)
        let link = try #require(begun.link.split(separator: "/").last)
        ids = [
            "user": user, "token": String(link), "message": "\(try #require(try await server.app.ledger().first).id)",
            "client": "\(client.id)",
            "secret": String(try #require(secret.text.firstMatch(of: /cls_[0-9a-z]{26}/)?.0)),
            "endpoint": "\(try await server.app.addEndpoint().id)",
            "provider": "\(try await server.app.addProvider(issuer: "https://example.com"))",
            "name": ProviderWorld.name, "identity": "\(try await server.app.addIdentity(to: user))",
            "export": try await server.beginExport(#"{"format": "csv"}"#, key: key),
            "role": try await server.makeRole("editor", ["documents:write"], key: key),
            "session": try #require(try await server.me(access).field("session.id")),
        ]
        let flow = #"{"flow": "\#(begun.flow)", "flow_token": "\#(begun.token)""#
        let signIn = String(decoding: try JSONEncoder().encode(server.signInFields()), as: UTF8.self)
        var mailFields = server.signInFields()
        mailFields["password"] = nil
        let mailSignIn = String(decoding: try JSONEncoder().encode(mailFields), as: UTF8.self)
        bodies = [
            "POST /v1/apps/{app}/sign-ups/verify": flow + #", "code": "\#(begun.code)"}"#,
            "POST /v1/apps/{app}/sign-ups/resend": flow + "}",
            "POST /v1/apps/{app}/sign-ins": signIn,
            "POST /v1/apps/{app}/sign-ins/email": mailSignIn,
            "POST /v1/apps/{app}/sign-ins/email/verify": flow + #", "code": "\#(begun.code)"}"#,
            "POST /v1/apps/{app}/password-resets/confirm":
                flow + #", "code": "\#(begun.code)", "password": "a lighthouse above seven cold harbours"}"#,
            "PUT /v1/apps/{app}/me/password":
                #"{"current_password": "seven lanterns over quiet water", "new_password": "seven cold harbours"}"#,
            "POST /v1/apps/{app}/me/email-changes":
                #"{"email": "third@example.com", "password": "seven lanterns over quiet water"}"#,
            "POST /v1/apps/{app}/me/email-changes/verify": flow + #", "code": "\#(begun.code)"}"#,
            "POST /apps/{app}/sign-in/code": "code=\(begun.code)",
            "POST /apps/{app}/password-reset/code":
                "code=\(begun.code)&password=a+lighthouse+above+seven+cold+harbours",
            "POST /apps/{app}/links/{token}": "password=a+lighthouse+above+seven+cold+harbours",
            "POST /apps/{app}/sign-in": "email=ada%40example.com&password=seven+lanterns+over+quiet+water",
            "POST /apps/{app}/sign-up/mail": "code=\(begun.code)",
            "POST /apps/{app}/sign-up/resend": "again=1",
        ].merging(Self.issuerBodies(server, client, access: access, code: code)) { $1 }
            .merging(try Self.providerBodies(server)) { $1 }.merging(try await Self.factorBodies(server)) { $1 }
    }

    /// What the endpoints of the issuer take: one app's tokens, codes and clients.
    private static func issuerBodies(
        _ server: TestServer, _ client: ConfidentialClient, access: String, code: String
    ) -> [String: String] {
        let proof = "client_id=\(client.id)&client_secret=\(client.secret)"
        return [
            "POST /apps/{app}/oauth/userinfo": "access_token=\(access)",
            "POST /apps/{app}/oauth/revoke":
                "token=\(access)&\(proof)",
            "POST /apps/{app}/oauth/par":
                "client_id=\(client.id)&client_secret=\(client.secret)&response_type=code"
                + "&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&code_challenge_method=S256"
                + "&code_challenge=\(TestServer.challenge)",
            "POST /apps/{app}/oauth/introspect":
                "token=\(access)&\(proof)",
            "POST /apps/{app}/oauth/token":
                "grant_type=authorization_code&code=\(code)&client_id=\(server.app.client)"
                + "&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&code_verifier=\(TestFlows.codeVerifier)",
        ]
    }

    /// What the routes of second factors take: a sign-in that waits, with the code that it waits for.
    private static func factorBodies(_ server: TestServer) async throws -> [String: String] {
        let email = try #require(EmailAddress("factor@example.com"))
        let factor = try await server.flows.enrolledUser(email)
        let held = try await server.flows.challenge(email)
        let named = #""challenge": "\#(held.id)", "challenge_token": "\#(held.token.secret.revealed)""#
        let code = #""code": "\#(factor.nextCode())""#
        let proof = #"{"password": "\#(TestFlows.password.revealed)", \#(code)}"#
        return [
            "POST /v1/apps/{app}/sign-ins/factor/verify": "{\(named), \(code)}",
            "POST /v1/apps/{app}/sign-ins/factor/totp": "{\(named)}",
            "POST /v1/apps/{app}/sign-ins/factor/totp/confirm": "{\(named), \(code)}",
            "POST /v1/apps/{app}/sign-ins/factor/finish": "{\(named)}",
            "POST /v1/apps/{app}/me/factors/totp": proof,
            "POST /v1/apps/{app}/me/factors/totp/confirm": "{\(code)}",
            "POST /v1/apps/{app}/me/factors/totp/remove": proof,
            "POST /v1/apps/{app}/me/factors/recovery-codes": proof,
        ]
    }

    /// What the routes take that begin a way to an identity provider, or end one.
    private static func providerBodies(_ server: TestServer) throws -> [String: String] {
        var fields = server.signInFields()
        (fields["password"], fields["email"], fields["provider"]) = (nil, nil, ProviderWorld.name)
        let code = OneTimeToken.make(.identityLink, random: server.app.random).secret.revealed
        return [
            "POST /v1/apps/{app}/provider-sign-ins":
                String(decoding: try JSONEncoder().encode(fields), as: UTF8.self),
            "POST /v1/apps/{app}/me/identity-links":
                #"{"provider": "upstream", "redirect_uri": "https://app.example/callback"}"#,
            "POST /v1/apps/{app}/me/identity-links/redeem": #"{"link_code": "\#(code)"}"#,
            "POST /apps/{app}/providers/{name}/start": "",
        ]
    }

    /// How a route is tried in another app; nil where it takes what is not listed.
    func attempts(on route: String, in other: AppID) -> [Attempt]? {
        guard !Self.open.contains(route) else { return [] }
        let words = route.split(separator: " ").map(String.init)
        let (method, isAdmin) = (words[0], words[1].hasPrefix("/v1/admin/"))
        var path = words[1].replacing("{app}", with: "\(other)")
        for (name, id) in ids { path = path.replacing("{\(name)}", with: id) }
        guard !path.contains("{") else { return nil }
        let body = isAdmin ? Self.adminBodies[route] : bodies[route]
        guard body != nil || !["POST", "PUT", "PATCH"].contains(method) else { return nil }
        let type = path.contains("/v1/") ? "application/json" : "application/x-www-form-urlencoded"
        func attempt(_ what: String, _ token: String) -> Attempt {
            Attempt(
                what: what, method: method, path: path,
                headers: ["Authorization": "Bearer \(token)", "Content-Type": type], body: body.map { Array($0.utf8) })
        }
        guard isAdmin else {
            // The token endpoint takes no credentials in the header.
            guard !path.hasPrefix("/apps/") else {
                return [
                    Attempt(
                        what: "its own secrets", method: method, path: path, headers: ["Content-Type": type],
                        body: body.map { Array($0.utf8) })
                ]
            }
            return [attempt("a user's token", access)]
        }
        let foreign = [attempt("a user's token", access), attempt("a key for one app", key)]
        // Whoever may act in both apps still finds the ids of one in that one only.
        let hasID = ids.keys.contains { route.contains("{\($0)}") }
        return foreign + (hasID ? [attempt("the ids of another app", globalKey)] : [])
    }
}

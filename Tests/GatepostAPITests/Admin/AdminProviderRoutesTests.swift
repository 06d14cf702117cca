import Crypto
import Curl
import Foundation
import GatepostModel
import GatepostStore
import TestSupport
import Testing

@Suite("Admin: identity providers", .timeLimit(.minutes(5)))
struct AdminProviderRoutesTests {
    private static let secret = "a-secret-that-must-not-be-shown"
    private static let google =
        #"{"name": "google", "kind": "google", "client_id": "abc.apps.example", "secret": "\#(secret)"}"#

    /// Runs a test with an admin's key and the path of the app's providers.
    private func running(_ body: (TestServer, _ key: String, _ path: String) async throws -> Void) async throws {
        try await TestServer.running { server in
            try await body(server, try await server.apiKey(.admin), "\(server.adminAPI)/identity-providers")
        }
    }

    private static func openID(_ issuer: String, name: String = "upstream") -> String {
        #"{"name": "\#(name)", "kind": "openid", "client_id": "c", "secret": "s", "issuer": "\#(issuer)"}"#
    }

    @Test func `a provider is added, listed, changed and deleted, and each step is on record`() async throws {
        try await running { server, key, path async throws in
            let created = try await server.admin("POST", path, key: key, json: Self.google)
            #expect(created.status == 201, "\(created.text)")
            let id = try #require(created.field("id"))
            #expect(created.field("issuer") == "https://accounts.google.com" && created.field("label") == "Google")
            #expect(created.field("state") == "enabled" && created.field("allows_sign_up") == "1")
            #expect(
                created.field("redirect_uri")
                    == "\(TestFlows.baseURL)/apps/\(server.app.id)/providers/google/callback")

            let changed = try await server.admin(
                "PATCH", "\(path)/\(id)", key: key,
                json: #"{"state": "disabled", "secret": "another", "label": "G", "keeps_tokens": true}"#)
            #expect(changed.field("state") == "disabled" && changed.field("label") == "G", "\(changed.text)")
            #expect(changed.field("keeps_tokens") == "1" && changed.field("disabled_at") != nil)
            let on = try await server.admin("PATCH", "\(path)/\(id)", key: key, json: #"{"state": "enabled"}"#)
            #expect(on.field("state") == "enabled" && on.field("disabled_at") == nil)

            #expect(try await server.admin("DELETE", "\(path)/\(id)", key: key).status == 204)
            #expect(try await server.admin("GET", "\(path)/\(id)", key: key).problem == .notFound)
            let events = try await server.texts(
                """
                select concat_ws(' ', kind, details ->> 'fields', details ->> 'identity_provider') as text
                  from audit_events where kind like 'identity_provider%' order by transaction_id
                """)
            #expect(
                events == [
                    "identity_provider.created \(id)",
                    "identity_provider.disabled label secret keeps_tokens state \(id)",
                    "identity_provider.changed state \(id)", "identity_provider.deleted \(id)",
                ])
        }
    }

    @Test func `no answer, event or row shows the secret, which opens in its own row only`() async throws {
        try await running { server, key, path async throws in
            let created = try await server.admin("POST", path, key: key, json: Self.google)
            let id = try #require(created.field("id").flatMap { IdentityProviderID($0) })
            let list = try await server.admin("GET", path, key: key)
            let shown = try await server.admin("GET", "\(path)/\(id)", key: key)
            let events = try await server.texts("select e::text as text from audit_events as e")
            let rows = try await server.texts("select p::text as text from identity_providers as p")
            for text in [created.text, list.text, shown.text, server.logs.all.joined()] + events + rows {
                #expect(!text.contains(Self.secret))
            }
            let record = try #require(
                try await server.app.database.batch(in: server.app.scope) { $0.identityProvider(id) })
            let (app, keys) = (server.app, server.app.keys)
            #expect(
                try ProviderSecretSeal.open(record.secretSealed, of: id, in: app.id, keys: keys).revealed
                    == Self.secret)
            #expect(throws: SealBroken.self) {
                try ProviderSecretSeal.open(record.secretSealed, of: app.newID(), in: app.id, keys: keys)
            }
            #expect(throws: SealBroken.self) {
                try ProviderSecretSeal.open(record.secretSealed, of: id, in: app.newID(), keys: keys)
            }
        }
    }

    @Test func `settings that a provider cannot have are refused, by the name of the field`() async throws {
        try await running { server, key, path async throws in
            let bodies = [
                "name": [#""Upper""#, #""-a""#, #""a b""#, #""""#, #""\#(String(repeating: "a", count: 41))""#],
                "kind": [#""facebook""#],
                "issuer": [
                    #""http://example.com""#, #""https://127.0.0.1""#, #""https://localhost""#,
                    #""https://a@example.com""#, #""https://example.com?x""#, #""https://Example.com""#,
                ],
                "client_id": [#""""#, #""a b""#, #""a\"b""#],
                "secret": [#""""#, #""\#(String(repeating: "a", count: 4097))""#],
                "scopes": ["[]", #"["a", "a"]"#, #"["a b"]"#], "label": [#""""#],
            ]
            for (field, values) in bodies {
                for value in values {
                    var fields = [
                        "name": #""upstream""#, "kind": #""openid""#, "client_id": #""c""#, "secret": #""s""#,
                        "issuer": #""https://example.com""#,
                    ]
                    fields[field] = value
                    let json = "{" + fields.map { #""\#($0.key)": \#($0.value)"# }.joined(separator: ", ") + "}"
                    let answer = try await server.admin("POST", path, key: key, json: json)
                    #expect(answer.problem == .invalidIdentityProvider, "\(field) \(value): \(answer.text)")
                    #expect(answer.field("detail")?.hasPrefix(field) == true, "\(field): \(answer.text)")
                }
            }
            #expect(try await server.admin("GET", path, key: key).text.contains(#""items":[]"#))
        }
    }

    @Test func `an app has one provider of a name and of an issuer, and no more than twenty`() async throws {
        try await running { server, key, path async throws in
            func add(_ json: String) async throws -> Int {
                try await server.admin("POST", path, key: key, json: json).status
            }
            #expect(try await add(Self.openID("https://a.example.com")) == 201)
            #expect(try await add(Self.openID("https://b.example.com")) == 409)
            #expect(try await add(Self.openID("https://a.example.com", name: "second")) == 409)
            for number in 2...20 {
                #expect(try await add(Self.openID("https://\(number).example.com", name: "p-\(number)")) == 201)
            }
            #expect(try await add(Self.openID("https://21.example.com", name: "p-21")) == 409)
        }
    }

    @Test func `Apple's secret is a key, with its id and its team`() async throws {
        try await running { server, key, path async throws in
            let pem = P256.Signing.PrivateKey().pemRepresentation.replacing("\n", with: "\\n")
            func body(_ secret: String, _ more: String) -> String {
                #"{"name": "apple", "kind": "apple", "client_id": "com.example", "secret": "\#(secret)"\#(more)}"#
            }
            let ids = #", "team_id": "ABCDE12345", "key_id": "FGHIJ67890""#
            for json in [body("no key", ids), body(pem, ""), body(pem, #", "team_id": "short", "key_id": "x""#)] {
                let answer = try await server.admin("POST", path, key: key, json: json)
                #expect(answer.problem == .invalidIdentityProvider, "\(answer.text)")
            }
            let created = try await server.admin("POST", path, key: key, json: body(pem, ids))
            #expect(created.status == 201 && created.field("team_id") == "ABCDE12345", "\(created.text)")
            let id = try #require(created.field("id"))
            let bad = try await server.admin("PATCH", "\(path)/\(id)", key: key, json: #"{"secret": "no key"}"#)
            #expect(bad.problem == .invalidIdentityProvider)
        }
    }

    @Test func `writes act once under a key, and only for whose role allows it`() async throws {
        try await running { server, key, path async throws in
            for _ in 1...2 {
                let answer = try await server.admin("POST", path, key: key, json: Self.google, idempotencyKey: "one")
                #expect(answer.status == 201)
            }
            let other = try await server.admin(
                "POST", path, key: key, json: Self.openID("https://example.com"), idempotencyKey: "one")
            #expect(other.problem == .idempotencyKeyReused)
            let support = try await server.apiKey(.support)
            #expect(try await server.admin("GET", path, key: support).status == 200)
            #expect(try await server.admin("POST", path, key: support, json: Self.google).problem == .permissionDenied)
        }
    }
}

import Curl
import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// The life of the key that signs ID tokens with RS256: like that of any other, and apart from it.
@Suite("ID tokens: RSA keys")
struct RSAKeyLifeTests {
    /// A server whose app has the tests' RSA key and a client that is signed for with it.
    private func running(
        _ body: (TestServer, ConfidentialClient, SigningKeyFlow, _ rsa: SigningKeyID) async throws -> Void
    ) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let rsa = try await server.app.plantRSAKey()
            let flow = SigningKeyFlow(clock: server.app.clock, random: server.app.random, keys: server.app.keys)
            try await body(server, try await server.confidentialClient(idTokensBy: .rs256), flow, rsa)
        }
    }

    private func states(_ server: TestServer) async throws -> [String] {
        try await server.texts("select algorithm || ' ' || state as text from signing_keys order by 1")
    }

    /// A new ID token, and the key that it names.
    private func idToken(_ server: TestServer, _ client: ConfidentialClient) async throws -> (text: String, key: String)
    {
        let answer = try await server.openIDTokens(of: client)
        let text = try #require(answer.field("id_token"), "\(answer.text)")
        return (text, try #require(try ReadToken(text).header["kid"] as? String))
    }

    /// Whether the client may show this ID token in the browser in which Ada is signed in.
    private func isHint(_ token: String, of client: ConfidentialClient, _ browser: TestBrowser) async throws -> Bool {
        let path = browser.server.authorizePath([
            "client_id": "\(client.id)", "prompt": "none", "id_token_hint": token,
        ])
        return try await browser.open(path).parameter("code") != nil
    }

    @Test func `an app that has the key needs no other for its next client`() async throws {
        try await running { server, client, _, rsa in
            let key = try await idToken(server, client).key
            #expect(key == "\(rsa)")
            #expect(try await states(server) == ["ES256 active", "RS256 active"])
        }
    }

    @Test func `it is announced, signs, retires and goes, and its ID tokens are hints until then`() async throws {
        try await running { server, client, flow, first in
            let browser = TestBrowser(server)
            _ = try await server.browse(["client_id": "\(client.id)", "scope": "openid"], in: browser)
            let before = try await idToken(server, client)
            let next = try await flow.make(.rs256, in: server.app.scope)
            try await server.app.database.transaction(in: server.app.scope) { try await flow.announce(next, in: $0) }
            server.app.clock.advance(by: KeyCache.life)

            // Announced: published, and signs nothing.
            #expect(try await states(server) == ["ES256 active", "RS256 active", "RS256 next"])
            #expect(try await server.publishedKeys().contains { $0["kid"] == "\(next.id)" })
            #expect(try await idToken(server, client).key == "\(first)")

            // As the job does; the key on P-256 is none of its business.
            let now = server.app.clock.now
            try await server.tamper(
                """
                update signing_keys set state = 'retired', retired_at = to_timestamp(\(now.seconds))
                 where app_id = \(server.sqlID) and algorithm = 'RS256' and state = 'active';
                """)
            try await server.tamper(
                """
                update signing_keys set state = 'active', activated_at = to_timestamp(\(now.seconds))
                 where app_id = \(server.sqlID) and algorithm = 'RS256' and state = 'next';
                """)
            server.app.clock.advance(by: KeyCache.life)
            let after = try await idToken(server, client)
            #expect(after.key == "\(next.id)")
            let published = try await server.publishedKeys()
            #expect(try published.first { $0["kid"] == after.key }?.hasSigned(after.text) == true)
            #expect(published.map { $0["alg"] } == ["ES256", "RS256", "RS256"])
            for token in [before.text, after.text] { #expect(try await isHint(token, of: client, browser)) }

            try await server.tamper(
                "delete from signing_keys where app_id = \(server.sqlID) and state = 'retired'")
            server.app.clock.advance(by: KeyCache.life)
            #expect(try await !isHint(before.text, of: client, browser))
            #expect(try await isHint(after.text, of: client, browser))
            #expect(try await server.publishedKeys().count == 2)
        }
    }

    @Test func `withdrawing it puts another RSA key in its place, and leaves access tokens alone`() async throws {
        try await running { server, client, flow, stolen in
            let browser = TestBrowser(server)
            _ = try await server.browse(["client_id": "\(client.id)", "scope": "openid"], in: browser)
            let before = try await idToken(server, client)
            let access = try await server.session().access

            #expect(try await flow.revoke(stolen, on: server.app.database, in: server.app.scope))
            server.app.clock.advance(by: KeyCache.life)

            #expect(try await states(server) == ["ES256 active", "RS256 active"])
            let after = try await idToken(server, client)
            #expect(after.key != "\(stolen)")
            let published = try await server.publishedKeys()
            #expect(try published.first { $0["kid"] == after.key }?.hasSigned(after.text) == true)
            #expect(!published.contains { $0["kid"] == "\(stolen)" })
            #expect(try await !isHint(before.text, of: client, browser))
            #expect(try await server.me(access).status == 200)
            let told = try await server.texts(
                """
                select concat_ws(' ', kind, details ->> 'algorithm', details ->> 'key_id') as text
                  from audit_events where kind like 'signing_key%' order by 1
                """)
            #expect(told == ["signing_key.activated RS256 \(after.key)", "signing_key.revoked RS256 \(stolen)"])
        }
    }

    @Test func `withdrawing the key of access tokens leaves the RSA key alone`() async throws {
        try await running { server, client, flow, rsa in
            let isRevoked = try await flow.revoke(
                server.flows.signingKeyID, on: server.app.database, in: server.app.scope)
            server.app.clock.advance(by: KeyCache.life)
            #expect(isRevoked)
            #expect(try await states(server) == ["ES256 active", "RS256 active"])
            #expect(try await idToken(server, client).key == "\(rsa)")
        }
    }

    @Test func `of eight clients that are added at once to an app without an RSA key all share the one that it gets`()
        async throws
    {
        struct Refused: Error {}
        let test = try await TestFlows.make()
        let admin = AdminClientFlow(
            database: test.database, clock: test.clock, random: test.app.random, keys: test.app.keys)
        let operators = AppFlow(
            database: test.database, clock: test.clock, random: test.app.random, keys: test.app.keys)
        async let byOperators = race(4) {
            try await operators.createClient(
                named: "Web", redirectURIs: [], idTokenAlgorithm: .rs256, in: test.scope)
        }
        let byAdmins = try await race(4) {
            let outcome = try await admin.create(
                .init(name: "Web", type: .public, redirectURIs: []), for: AdminRequest(.operator, from: .none),
                in: test.scope)
            guard case .done(let shown) = outcome else { throw Refused() }
            return shown.client.id
        }

        let made = try await byAdmins + byOperators
        #expect(Set(made).count == 8)
        let keys = try await test.database.batch(in: test.scope) { $0.signingKeys() }
        #expect(keys.map(\.algorithm) == [.es256, .rs256] && keys.allSatisfy { $0.state == .active })
        let events = try await test.database.batch(in: test.scope) { batch in
            batch.read("select kind from audit_events where kind = 'signing_key.created'") { $0.count }
        }
        #expect(events == 1)
        // The one that was written is the one that opens.
        _ = try await test.keys.keys(of: test.scope)
    }
}

import Curl
import Foundation
import GatepostDev
import GatepostModel
import Testing
import TestSupport

/// Client libraries that we did not write use the real program as their OpenID provider.
@Suite("Outside OpenID clients", .timeLimit(.minutes(20)))
struct OpenIDClientsTests {
    private static let email = "ada@example.com"

    private struct OtherClient: Encodable {
        let client: String
        let secret: String
    }

    private struct Question: Encodable {
        let issuer: String
        let client: String
        let secret: String
        let redirect_uri: String
        let email: String
        let password: String
        /// A third party's, which knows users by pairwise subjects.
        let other: OtherClient
    }

    private struct Told: Decodable, Equatable {
        let sub: String
        let email: String
        /// Whether the nonce came back.
        let nonce: Bool
        /// Whether a refresh gave another access token.
        let refreshed: Bool
        /// Whether it was alive, and after its session was revoked.
        let active: Bool
        let after: Bool
    }

    private struct ThirdParty: Decodable {
        /// What it calls the person, by two sign-ins.
        let subs: [String]
        /// Before which of them the person was asked.
        let asked: [Int]
    }

    private struct Answer: Decodable {
        let authlib: Told
        let requests_oauthlib: Told
        let third_party: ThirdParty
    }

    @Test func `Authlib and requests-oauthlib go the whole way, from the code to the revocation`() async throws {
        try await Installation.running { installation in
            try await installation.serve()
            try await installation.work()
            let app = try await installation.makeApp()
            let signUp = try await app.signUp(Self.email)
            try await installation.waitUntilNothingIsOwed()
            let secrets = try MailSecrets(try #require(await installation.relay.mails().last))
            #expect(try await app.verify(signUp, code: secrets.code).status == 200)
            let made = try await installation.addConfidentialClient(
                to: app.id, "--redirect-uri", App.redirectURI)
            let other = try await installation.addConfidentialClient(
                to: app.id, "--redirect-uri", App.redirectURI, "--third-party", "--pairwise", "--id-token-alg", "ES256")

            let answer: Answer = try await Outside.ask(
                "openid_clients.py",
                Question(
                    issuer: "\(installation.baseURL)/apps/\(app.id)", client: made.client, secret: made.secret,
                    redirect_uri: App.redirectURI, email: Self.email, password: App.password,
                    other: OtherClient(client: other.client, secret: other.secret)))

            for told in [answer.authlib, answer.requests_oauthlib] {
                #expect(told.email == Self.email && told.sub == answer.authlib.sub)
                #expect(told.nonce && told.refreshed && told.active && !told.after, "\(told)")
            }
            // A client of others is let in once, and learns nothing by which it could compare notes.
            #expect(answer.third_party.asked == [0] && Set(answer.third_party.subs).count == 1)
            #expect(answer.third_party.subs.first?.count == 43 && answer.third_party.subs.first != answer.authlib.sub)
            let listed = try await installation.run(
                "clients", "secrets", app.id, made.client, "--rotate", "--json")
            #expect(listed.exit == .done && !listed.output.isEmpty && !listed.errors.contains(made.secret))
        }
    }
}

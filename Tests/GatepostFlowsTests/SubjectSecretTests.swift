import Foundation
@testable import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

@Suite("Subject secrets")
struct SubjectSecretTests {
    /// Rings of several keys; the first of them seals.
    private func ring(_ epochs: UInt8...) throws -> KeyRing {
        let list = epochs.map { "\($0):" + Data(repeating: $0, count: 32).base64EncodedString() }
        return try KeyRing(Secret(list.joined(separator: ",")))
    }

    private func subject(_ app: TestApp, _ ring: KeyRing) async throws -> String {
        let keys = try await KeyCache(database: app.database, ring: ring, clock: app.clock).keys(of: app.scope)
        return try keys.subject(of: UserID(uuid: app.id.uuid), in: "app.example")
    }

    @Test func `nobody becomes somebody else when a key-encryption key is replaced and retired`() async throws {
        let app = try await TestApp.make()
        let uris = ["https://app.example/callback"].compactMap(RedirectURI.init)
        let flow = AdminClientFlow(
            database: app.database, clock: app.clock, random: app.random, keys: try ring(1))
        let made = try await flow.create(
            .init(
                name: "Pairwise", type: .public, subjectType: .pairwise, redirectURIs: uris, idTokenAlgorithm: .es256),
            for: AdminRequest(.operator, from: .none), in: app.scope)
        guard case .done(let shown) = made else {
            Issue.record("\(made)")
            return
        }
        #expect(shown.client.subjectType == .pairwise && shown.client.sector == "app.example")

        let before = try await subject(app, try ring(1))
        #expect(before.utf8.count == 43)
        #expect(try await subject(app, try ring(2, 1)) == before, "and by this it is sealed anew")
        #expect(try await subject(app, try ring(2)) == before, "the old key is gone")
        await #expect(throws: SealBroken.self) { _ = try await subject(app, try ring(1)) }
    }

    /// A secret whose key was retired too early once took the key set down, and with it every client of the app.
    @Test func `a secret that does not open stops pairwise clients alone`() async throws {
        let app = try await TestApp.make()
        let secret = try SubjectSecretTests.sealed(in: app, by: ring(7))
        try await app.database.batch(in: app.scope) { $0.insertSubjectSecret(secret, at: app.clock.now) }
        let keys = try await KeyCache(database: app.database, ring: try ring(1), clock: app.clock).keys(of: app.scope)
        let user = UserID(uuid: app.id.uuid)
        #expect(try keys.subject(of: user, in: nil) == user.description)
        #expect(throws: SealBroken.self) { try keys.subject(of: user, in: "app.example") }
    }

    /// The first exchange of an app's first pairwise client was once answered with 500 by a node that had just read the
    /// keys.
    @Test func `what was read before there was a secret is read once more when it is asked for`() async throws {
        let app = try await TestApp.make()
        let cache = KeyCache(database: app.database, ring: try ring(1), clock: app.clock)
        let before = try await cache.keys(of: app.scope)
        #expect(throws: NoSubjectSecret.self) { try before.subject(of: UserID(uuid: app.id.uuid), in: "app.example") }
        let secret = try SubjectSecretTests.sealed(in: app, by: ring(1))
        try await app.database.batch(in: app.scope) { $0.insertSubjectSecret(secret, at: app.clock.now) }

        let verifier = TokenVerifier(cache: cache, baseURL: TestFlows.baseURL)
        let subject = try await verifier.subject(of: UserID(uuid: app.id.uuid), in: "app.example", app.scope)

        #expect(subject.utf8.count == 43)
    }

    private static func sealed(in app: TestApp, by ring: KeyRing) throws -> [UInt8] {
        try SubjectSecret.make(in: app.id, keys: ring, random: app.random)
    }
}

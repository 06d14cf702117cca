import Foundation
import GatepostFlows
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
}

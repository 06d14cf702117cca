import GatepostFlows
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

@Suite("Apps", .showsSeed)
struct AppFlowTests {
    let database: Database
    let clock = TestClock()
    let flow: AppFlow

    init() async throws {
        database = try await TestDatabase.current.database
        flow = AppFlow(database: database, clock: clock, random: SeededRandom(), keys: try TestApp.testKeys())
    }

    @Test func `an app is made with its settings, a key that signs and an event`() async throws {
        var settings = AppSettings()
        settings.accessTokenSeconds = 120

        let id = try await flow.createApp(named: "Lighthouse", settings: settings)

        let app = try #require(try await database.app(id))
        #expect(app.name == "Lighthouse" && !app.isSuspended && app.createdAt == clock.now)
        #expect(app.scope.settings.accessTokenLife == .seconds(120))
        let keys = try await database.batch(in: app.scope) { $0.signingKeys() }
        #expect(keys.map(\.state) == [.active])
        let events = try await database.batch(in: app.scope) { batch in
            batch.read("select kind, actor_kind from audit_events where app_id = \(id)") { rows in
                try rows.map { "\(try $0.get(0, as: String.self)) \(try $0.get(1, as: String.self))" }
            }
        }
        #expect(events == ["app.created operator"])
    }

    @Test func `an app without a name, or with an endless one, is refused`() async throws {
        await #expect(throws: PostgresError.self) {
            try await flow.createApp(named: String(repeating: "x", count: 101))
        }
        await #expect(throws: PostgresError.self) { try await flow.createApp(named: "") }
    }

    @Test func `settings out of bounds are refused before anything is written`() async throws {
        // Story: the bounds were stated where the settings are read, and nobody looked at them when they are written.
        var settings = AppSettings()
        settings.accessTokenSeconds = 3601

        let error = await #expect(throws: AppFlow.SettingOutOfBounds.self) {
            try await flow.createApp(named: "Lighthouse", settings: settings)
        }
        #expect(error?.field == "access_token_seconds")
    }

    @Test func `an app's history is set with an event, what is not named stays, and bounds are kept`() async throws {
        var settings = AppSettings()
        (settings.accessTokenSeconds, settings.auditHistorySeconds) = (120, 40 * 86400)
        let id = try await flow.createApp(named: "Lighthouse", settings: settings)
        let scope = try #require(try await database.scope(of: id))

        try await flow.keepHistory(deliveryDays: 7, auditDays: nil, in: scope)

        settings.deliveryHistorySeconds = 7 * 86400
        let json = try await database.batch(in: scope) { batch in
            batch.read("select (settings - 'access_token_seconds')::text as settings from apps where id = \(id)") {
                try $0.first?.get("settings", as: String.self)
            }
        }
        #expect(json == #"{"audit_history_seconds": 3456000, "delivery_history_seconds": 604800}"#)
        for (deliveryDays, auditDays) in [(0, nil), (91, nil), (nil, 29), (nil, 3661), (Int64.max, nil)]
            as [(Int64?, Int64?)]
        {
            await #expect(throws: AppFlow.SettingOutOfBounds.self) {
                try await flow.keepHistory(deliveryDays: deliveryDays, auditDays: auditDays, in: scope)
            }
        }
        let events = try await database.batch(in: scope) { batch in
            batch.read("select details::text as details from audit_events where kind = 'app.changed'") { rows in
                try rows.map { try $0.get("details", as: String.self) }
            }
        }
        #expect(events == [#"{"delivery_history_days": "7"}"#])
    }

    @Test func `two apps have different keys`() async throws {
        var publicKeys: Set<[UInt8]> = []
        for name in ["one", "two"] {
            let id = try await flow.createApp(named: name)
            let scope = try #require(try await database.scope(of: id))
            for key in try await database.batch(in: scope, { $0.signingKeys() }) { publicKeys.insert(key.publicKey) }
        }

        #expect(publicKeys.count == 2)
    }

    @Test func `a client is registered with its redirect URIs, each once, and an event`() async throws {
        let scope = try #require(try await database.scope(of: try await flow.createApp(named: "Lighthouse")))
        let uris = try ["https://app.example/b", "https://app.example/a", "https://app.example/b"].map { text in
            try #require(RedirectURI(text))
        }

        let id = try await flow.createClient(named: "Web", redirectURIs: uris, idTokenAlgorithm: .es256, in: scope)

        let client = try #require(try await database.batch(in: scope) { $0.client(id) })
        #expect(client.name == "Web" && client.redirectURIs == ["https://app.example/a", "https://app.example/b"])
        let events = try await database.batch(in: scope) { batch in
            batch.read("select client_id from audit_events where kind = 'client.created'") { rows in
                try rows.map { try $0.get("client_id", as: ClientID.self) }
            }
        }
        #expect(events == [id])
    }

    @Test func `a client belongs to its app`() async throws {
        let mine = try #require(try await database.scope(of: try await flow.createApp(named: "mine")))
        let theirs = try #require(try await database.scope(of: try await flow.createApp(named: "theirs")))
        let id = try await flow.createClient(named: "Web", redirectURIs: [], idTokenAlgorithm: .es256, in: theirs)

        #expect(try await database.batch(in: mine) { $0.client(id) } == nil)
        #expect(try await database.batch(in: mine) { $0.clients() }.isEmpty)
    }
}

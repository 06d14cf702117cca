import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import Passwords
import TestSupport

/// One app of a world: the flows over it, and what the model knows of it.
final class SimulatedApp {
    let scope: AppScope
    let client: ClientID
    let flows: Flows
    let keys: KeyRing
    var people: [Person] = []
    var endpoints: [EndpointModel] = []
    /// How many audit events of each kind there have to be.
    var events: [String: Int] = [:]
    /// How many webhook notices of each type were owed.
    var notices: [String: Int] = [:]

    var id: AppID { scope.appID }

    init(scope: AppScope, client: ClientID, flows: Flows, keys: KeyRing) {
        (self.scope, self.client, self.flows, self.keys) = (scope, client, flows, keys)
    }

    /// Makes an app by the operator's flow.
    ///
    /// Its lifetimes are shorter than the defaults, so that things expire within a run.
    static func make(_ number: Int, of parts: FlowParts, _ tools: Tools) async throws -> SimulatedApp {
        let flow = AppFlow(database: tools.database, clock: tools.clock, random: tools.random, keys: tools.keys)
        var settings = AppSettings()
        settings.refreshIdleSeconds = [3 * 3600, 12 * 3600, 48 * 3600][number % 3]
        settings.sessionSeconds = [24 * 3600, 72 * 3600, 200 * 3600][number % 3]
        settings.accessTokenSeconds = [60, 600, 3600][number % 3]
        settings.signingKeySeconds = 86400
        // All come from one network; what bounds it is no affair of the model's.
        (settings.clientTriesPerQuarterHour, settings.triesPerQuarterHour) = (1_000_000, 1_000_000)
        (settings.clientMailsPerHour, settings.mailsPerHour) = (1_000_000, 1_000_000)
        let id = try await flow.createApp(named: "App \(number)", settings: settings)
        guard let scope = try await tools.database.scope(of: id) else { throw AppMissing() }
        let client = try await flow.createClient(
            named: "Web", redirectURIs: [TestFlows.redirectURI].compactMap(RedirectURI.init),
            idTokenAlgorithm: .es256, in: scope)
        let app = SimulatedApp(scope: scope, client: client, flows: Flows(of: parts), keys: tools.keys)
        app.count("app.created")
        app.count("client.created")
        return app
    }

    /// An app that was made just now is not there.
    struct AppMissing: Error {}

    /// What the parts of a world share.
    struct Tools {
        let database: Database
        let clock: TestClock
        let random: SeededRandom
        let keys: KeyRing
    }

    /// Takes note that an audit event has to be there.
    func count(_ event: String, _ times: Int = 1) {
        events[event, default: 0] += times
    }

    /// Takes note that each endpoint that wants to know is owed a notice.
    func owe(_ type: WebhookEventType, _ times: Int = 1) {
        let endpointCount = endpoints.count { $0.isEnabled && $0.types.contains(type) }
        notices[type.rawValue, default: 0] += endpointCount * times
    }
}

/// A webhook endpoint as the model knows it.
final class EndpointModel {
    let id: WebhookEndpointID
    var types: Set<WebhookEventType>
    var isEnabled = true

    init(id: WebhookEndpointID, types: Set<WebhookEventType>) {
        (self.id, self.types) = (id, types)
    }
}

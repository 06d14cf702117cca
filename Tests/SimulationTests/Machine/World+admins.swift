import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport

/// What admins do with users and webhook endpoints.
extension World {
    static let endpointsMax = 3

    var request: AdminRequest { AdminRequest(.operator, from: TestFlows.origin) }

    /// A person's id; asked for where nothing has named it yet.
    private func id(of person: Person, in app: SimulatedApp) async throws -> UserID? {
        if let id = person.id { return id }
        person.id = try await database.batch(in: app.scope) { $0.user(email: person.email) }?.id
        return person.id
    }

    func deactivate() async throws -> Bool {
        guard let (app, person) = anybody({ $0.exists && (!$0.isDeactivated || oneIn(10)) }),
            let id = try await id(of: person, in: app)
        else { return false }
        let outcome = try await app.flows.admin.users.deactivate(id, note: nil, for: request, in: app.scope)
        guard case .done(id) = outcome else {
            differ("a deactivation was refused")
            return true
        }
        noteDeactivated(person, in: app)
        return true
    }

    func noteDeactivated(_ person: Person, in app: SimulatedApp) {
        guard !person.isDeactivated else { return }
        person.isDeactivated = true
        person.raiseEpoch()
        person.refuseSignUps()
        app.owe(.sessionEnded, person.endSessions())
        app.owe(.userDeactivated)
        app.count("user.deactivated")
    }

    func reactivate() async throws -> Bool {
        guard let (app, person) = anybody({ $0.isDeactivated }), let id = try await id(of: person, in: app) else {
            return false
        }
        let outcome = try await app.flows.admin.users.reactivate(id, note: nil, for: request, in: app.scope)
        guard case .done(id) = outcome else {
            differ("a reactivation was refused")
            return true
        }
        person.isDeactivated = false
        app.owe(.userReactivated)
        app.count("user.reactivated")
        return true
    }

    /// What an endpoint wants to know: most types, and at least one.
    private func someTypes() -> [WebhookEventType] {
        let types = WebhookEventType.allCases.filter { _ in !oneIn(4) }
        return types.isEmpty ? [.sessionEnded] : types
    }

    func addEndpoint() async throws -> Bool {
        let app = app
        guard app.endpoints.count < Self.endpointsMax,
            let url = WebhookURL("https://hooks.example.com/\(stepNumber)", allowsPrivate: false)
        else { return false }
        let types = someTypes()
        let wanted = AdminWebhookFlow.Wanted(url: url, description: "", eventTypes: types)
        guard case .done(let issued) = try await app.flows.admin.webhooks.create(wanted, for: request, in: app.scope)
        else {
            differ("an endpoint was refused")
            return true
        }
        app.endpoints.append(EndpointModel(id: issued.endpoint.id, types: Set(types)))
        app.count("webhook_endpoint.created")
        return true
    }

    func changeEndpoint() async throws -> Bool {
        let app = app
        guard let endpoint = chosen(app.endpoints) else { return false }
        let (isEnabled, isDisabling) = (!endpoint.isEnabled, endpoint.isEnabled)
        let types = someTypes()
        let change = WebhookEndpointChange(eventTypes: types, isEnabled: isEnabled)
        let outcome = try await app.flows.admin.webhooks.change(endpoint.id, change, for: request, in: app.scope)
        guard case .done = outcome else {
            differ("a change of an endpoint was refused")
            return true
        }
        (endpoint.isEnabled, endpoint.types) = (isEnabled, Set(types))
        app.count(isDisabling ? "webhook_endpoint.disabled" : "webhook_endpoint.changed")
        return true
    }

    func deleteEndpoint() async throws -> Bool {
        let app = app
        guard let endpoint = chosen(app.endpoints), app.endpoints.count > 1 else { return false }
        let outcome = try await app.flows.admin.webhooks.delete(endpoint.id, for: request, in: app.scope)
        guard case .done = outcome else {
            differ("a deletion of an endpoint was refused")
            return true
        }
        app.endpoints.removeAll { $0 === endpoint }
        app.count("webhook_endpoint.deleted")
        return true
    }

    func rotateEndpointSecret() async throws -> Bool {
        let app = app
        guard let endpoint = chosen(app.endpoints) else { return false }
        let outcome = try await app.flows.admin.webhooks.rotateSecret(
            of: endpoint.id, overlap: .hours(Int64(chance.number(below: 3))), for: request, in: app.scope)
        guard case .done = outcome else {
            differ("a rotation of an endpoint's secret was refused")
            return true
        }
        app.count("webhook_secret.rotated")
        return true
    }

    /// The same request twice under one idempotency key: it acts once.
    func repeatRequest() async throws -> Bool {
        guard let (app, person) = anybody({ $0.exists && !$0.isDeactivated }),
            let id = try await id(of: person, in: app)
        else { return false }
        let key = IdempotencyKey(
            "simulation-\(stepNumber)", route: "POST /v1/admin/deactivations", principal: .operator, body: [])
        let request = AdminRequest(.operator, from: TestFlows.origin, idempotencyKey: key)
        for _ in 0..<2 {
            let outcome = try await app.flows.admin.users.deactivate(id, note: nil, for: request, in: app.scope)
            guard case .done(id) = outcome else {
                differ("a repeated request was refused")
                return true
            }
        }
        noteDeactivated(person, in: app)
        return true
    }
}

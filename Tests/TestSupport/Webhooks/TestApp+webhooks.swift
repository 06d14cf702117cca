package import GatepostDelivery
package import GatepostModel
import GatepostOutbox
import GatepostStore
package import GatepostWorkers
package import Logging

extension TestApp {
    /// An endpoint that a test has added, and its first secret.
    package struct Endpoint: Sendable {
        package let id: WebhookEndpointID
        package let secret: WebhookSecret
        package let secretID: WebhookSecretID
    }

    /// Adds an endpoint as the admin flow does, on any URL that the type takes in dev.
    ///
    /// - Parameters:
    ///   - url: Where it is called.
    ///   - types: What it wants to know; by default everything.
    /// - Returns: The endpoint.
    /// - Throws: What Postgres says.
    package func addEndpoint(
        _ url: String = "https://hooks.example.com/gatepost", _ types: [WebhookEventType] = WebhookEventType.allCases
    ) async throws -> Endpoint {
        guard let checked = WebhookURL(url, allowsPrivate: true) else { throw TestAppMissing() }
        let endpoint = Endpoint(id: newID(), secret: .make(random: random), secretID: newID())
        let new = NewWebhookEndpoint(id: endpoint.id, url: checked, description: "", eventTypes: types)
        let sealed = SealedWebhookSecret(
            id: endpoint.secretID, sealed: try endpoint.secret.sealed(as: endpoint.secretID, in: self.id, keys: keys))
        try await database.batch(in: scope) { batch in
            batch.insertWebhookEndpoint(new, at: clock.now)
            batch.insertWebhookSecret(sealed, of: endpoint.id, at: clock.now)
        }
        return endpoint
    }

    /// Writes a user down and owes a notice about them.
    @discardableResult
    package func owe(_ type: WebhookEventType, email: EmailAddress) async throws -> UserID {
        let user: UserID = newID()
        try await database.batch(in: scope) { batch in
            batch.insertUser(user, email: email, at: clock.now)
            batch.owe(type, about: user, at: clock.now)
        }
        return user
    }

    /// A transport that reaches loopback and nothing else that is private, over plain HTTP too.
    package static func loopbackTransport() throws -> HTTPTransport {
        guard let loopback = AddressRange("127.0.0.0/8") else { throw TestAppMissing() }
        return try HTTPTransport(guard: AddressGuard(privateAllowed: [loopback]), allowsPlainHTTP: true)
    }

    /// A worker that delivers webhooks and nothing else.
    package func webhookWorker(
        _ transport: HTTPTransport, keys: KeyRing? = nil, settings: WorkerSettings = WorkerSettings(),
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) -> OutboxWorker {
        let handler = WebhookHandler(
            database: database, clock: clock, random: random, keys: keys ?? self.keys, transport: transport,
            logger: logger)
        return OutboxWorker(
            database: database, clock: clock, random: random, handlers: [WebhookNotice.kind: handler],
            settings: settings, logger: logger)
    }
}

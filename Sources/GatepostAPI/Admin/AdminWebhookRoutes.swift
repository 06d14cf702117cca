import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `/v1/admin/apps/{app}/webhook-endpoints`, one of them, and its `rotate-secret`.
struct AdminWebhookRoutes: Sendable {
    let flow: AdminWebhookFlow
    let keys: KeyRing

    func mount(_ ofApp: AdminGroup) {
        ofApp.on(.get, "/webhook-endpoints", .webhooksRead, use: list)
        ofApp.on(.post, "/webhook-endpoints", .webhooksWrite, use: create)
        ofApp.on(.get, "/webhook-endpoints/{endpoint}", .webhooksRead, use: show)
        ofApp.on(.patch, "/webhook-endpoints/{endpoint}", .webhooksWrite, use: change)
        ofApp.on(.delete, "/webhook-endpoints/{endpoint}", .webhooksWrite, use: delete)
        ofApp.on(.post, "/webhook-endpoints/{endpoint}/rotate-secret", .webhooksWrite, use: rotateSecret)
    }

    struct EndpointAnswer: ResponseEncodable {
        let id: WebhookEndpointID
        let url: String
        let description: String
        let eventTypes: [String]
        let state: String
        let disabledReason: String?
        let createdAt: Instant
        let changedAt: Instant
        let disabledAt: Instant?
        let failingSince: Instant?
        let oldSecretExpiresAt: Instant?
        /// Only in the answer of the request that made it.
        let secret: String?

        enum CodingKeys: String, CodingKey {
            case id, url, description, state, secret
            case eventTypes = "event_types"
            case disabledReason = "disabled_reason"
            case createdAt = "created_at"
            case changedAt = "changed_at"
            case disabledAt = "disabled_at"
            case failingSince = "failing_since"
            case oldSecretExpiresAt = "old_secret_expires_at"
        }

        init(_ endpoint: WebhookEndpointRecord, secret: WebhookSecret? = nil) {
            (id, url, description) = (endpoint.id, endpoint.url, endpoint.description)
            (eventTypes, disabledReason) = (endpoint.eventTypes, endpoint.disabledReason)
            state = endpoint.isEnabled ? "enabled" : "disabled"
            (createdAt, changedAt, disabledAt) = (endpoint.createdAt, endpoint.changedAt, endpoint.disabledAt)
            failingSince = endpoint.failingSince
            oldSecretExpiresAt = endpoint.oldSecretExpiresAt
            self.secret = secret?.text.revealed
        }
    }

    @Sendable func list(
        _ request: Request, context: AdminRequestContext
    ) async throws -> ListAnswer<EndpointAnswer> {
        let query = try QueryParameters(request, known: ListPage.parameters)
        let page = try ListPage(query, of: "webhook_endpoints", context, keys: keys)
        let endpoints = try await flow.endpoints(after: page.cursor, limit: page.readLimit, in: context.scope)
        return page.answer(endpoints, position: { ($0.createdAt, $0.id.uuid) }, { EndpointAnswer($0) })
    }

    @Sendable func show(_ request: Request, context: AdminRequestContext) async throws -> EndpointAnswer {
        try await answer(try context.id("endpoint"), context)
    }

    struct CreateRequest: JSONBody {
        let url: String
        let description: String?
        let eventTypes: [String]

        enum CodingKeys: String, CodingKey, CaseIterable {
            case url, description
            case eventTypes = "event_types"
        }
    }

    @Sendable func create(
        _ request: Request, context: AdminRequestContext
    ) async throws -> EditedResponse<EndpointAnswer> {
        let (body, admin) = try await context.writeOnce(request, CreateRequest.self)
        let wanted = AdminWebhookFlow.Wanted(
            url: try url(body.url), description: try Self.description(body.description ?? ""),
            eventTypes: try Self.eventTypes(body.eventTypes))
        let issued = try await flow.create(wanted, for: admin, in: context.scope).value
        return EditedResponse(
            status: .created, response: EndpointAnswer(issued.endpoint, secret: issued.secret))
    }

    struct ChangeRequest: JSONBody {
        let url: String?
        let description: String?
        let eventTypes: [String]?
        let state: String?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case url, description, state
            case eventTypes = "event_types"
        }
    }

    @Sendable func change(_ request: Request, context: AdminRequestContext) async throws -> EndpointAnswer {
        let (body, admin) = try await context.write(request, ChangeRequest.self)
        guard body.state == nil || body.state == "enabled" || body.state == "disabled" else {
            throw Problem(.invalidRequest, detail: "state is enabled or disabled.")
        }
        let change = WebhookEndpointChange(
            url: try body.url.map(url), description: try body.description.map(Self.description),
            eventTypes: try body.eventTypes.map(Self.eventTypes), isEnabled: body.state.map { $0 == "enabled" })
        guard !change.fieldNames.isEmpty else {
            throw Problem(.invalidRequest, detail: "Name at least one field to change.")
        }
        let id = try await flow.change(
            try context.id("endpoint"), change, for: admin, in: context.scope
        ).value
        return try await answer(id, context)
    }

    @Sendable func delete(_ request: Request, context: AdminRequestContext) async throws -> Response {
        let admin = try context.write(request)
        _ = try await flow.delete(try context.id("endpoint"), for: admin, in: context.scope).value
        return Response(status: .noContent)
    }

    struct RotateRequest: JSONBody {
        let oldSecretSeconds: Int64?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case oldSecretSeconds = "old_secret_seconds"
        }
    }

    @Sendable func rotateSecret(_ request: Request, context: AdminRequestContext) async throws -> EndpointAnswer {
        let (body, admin) = try await context.writeOnce(request, RotateRequest.self)
        let longest = Lifetimes.webhookSecretOverlapMax.wholeSeconds
        let seconds = body.oldSecretSeconds ?? Lifetimes.webhookSecretOverlap.wholeSeconds
        guard (0...longest).contains(seconds) else {
            throw Problem(.invalidRequest, detail: "old_secret_seconds is a number from 0 to \(longest).")
        }
        let issued = try await flow.rotateSecret(
            of: try context.id("endpoint"), overlap: .seconds(seconds), for: admin, in: context.scope
        ).value
        return EndpointAnswer(issued.endpoint, secret: issued.secret)
    }

    private func answer(_ id: WebhookEndpointID, _ context: AdminRequestContext) async throws -> EndpointAnswer {
        guard let endpoint = try await flow.endpoint(id, in: context.scope) else { throw Problem(.notFound) }
        return EndpointAnswer(endpoint)
    }

    private func url(_ text: String) throws -> WebhookURL {
        guard let url = WebhookURL(text, allowsPrivate: flow.allowsPrivate) else { throw Problem(.invalidWebhookURL) }
        return url
    }

    private static func description(_ text: String) throws -> String {
        let longest = WebhookEndpointRecord.descriptionLengthMax
        guard text.unicodeScalars.count <= longest, !text.unicodeScalars.contains("\0") else {
            throw Problem(.invalidRequest, detail: "description has at most \(longest) characters.")
        }
        return text
    }

    private static func eventTypes(_ names: [String]) throws -> [WebhookEventType] {
        let types = names.compactMap(WebhookEventType.init(rawValue:))
        guard !names.isEmpty, types.count == names.count, Set(types).count == types.count else {
            throw Problem(
                .invalidRequest,
                detail: "event_types names at least one of "
                    + WebhookEventType.allCases.map(\.rawValue).joined(separator: ", ") + ", none twice.")
        }
        return types
    }
}

extension AdminOutcome {
    /// What was done; throws the problem that a refusal is.
    fileprivate var value: Value {
        get throws {
            switch self {
            case .done(let value): return value
            case .refused(let refusal): throw Problem(refusal)
            }
        }
    }
}

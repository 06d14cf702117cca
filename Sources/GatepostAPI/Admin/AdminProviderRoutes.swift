import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `/v1/admin/apps/{app}/identity-providers` and one of them.
struct AdminProviderRoutes: Sendable {
    let flow: AdminProviderFlow
    let keys: KeyRing
    let baseURL: String

    func mount(_ ofApp: AdminGroup) {
        ofApp.on(.get, "/identity-providers", .providersRead, use: list)
        ofApp.on(.post, "/identity-providers", .providersWrite, use: create)
        ofApp.on(.get, "/identity-providers/{provider}", .providersRead, use: show)
        ofApp.on(.patch, "/identity-providers/{provider}", .providersWrite, use: change)
        ofApp.on(.delete, "/identity-providers/{provider}", .providersWrite, use: delete)
    }

    /// A provider without its secret, which no answer holds.
    struct ProviderAnswer: ResponseEncodable {
        let id: IdentityProviderID
        let name: String
        let kind: String?
        let label: String
        let issuer: String
        let clientID: String
        let scopes: [String]
        let teamID: String?
        let keyID: String?
        let allowsSignUp: Bool
        let keepsTokens: Bool
        let state: String
        /// What to register with the provider.
        let redirectURI: String
        let createdAt: Instant
        let changedAt: Instant
        let secretChangedAt: Instant
        let disabledAt: Instant?

        enum CodingKeys: String, CodingKey {
            case id, name, kind, label, issuer, scopes, state
            case clientID = "client_id"
            case teamID = "team_id"
            case keyID = "key_id"
            case allowsSignUp = "allows_sign_up"
            case keepsTokens = "keeps_tokens"
            case redirectURI = "redirect_uri"
            case createdAt = "created_at"
            case changedAt = "changed_at"
            case secretChangedAt = "secret_changed_at"
            case disabledAt = "disabled_at"
        }

        init(_ provider: IdentityProviderRecord, redirectURI: String) {
            (id, name, kind) = (provider.id, provider.name, provider.kind?.rawValue)
            (label, issuer, clientID) = (provider.label, provider.issuer, provider.clientID)
            (scopes, teamID, keyID) = (provider.scopes, provider.teamID, provider.keyID)
            (allowsSignUp, keepsTokens) = (provider.allowsSignUp, provider.keepsTokens)
            state = provider.isEnabled ? "enabled" : "disabled"
            self.redirectURI = redirectURI
            (createdAt, changedAt, disabledAt) = (provider.createdAt, provider.changedAt, provider.disabledAt)
            secretChangedAt = provider.secretChangedAt
        }
    }

    @Sendable func list(
        _ request: Request, context: AdminRequestContext
    ) async throws -> ListAnswer<ProviderAnswer> {
        let query = try QueryParameters(request, known: ListPage.parameters)
        let page = try ListPage(query, of: "identity_providers", context, keys: keys)
        let providers = try await flow.providers(after: page.cursor, limit: page.readLimit, in: context.scope)
        return page.answer(providers, position: { ($0.createdAt, $0.id.uuid) }, { answer($0, context) })
    }

    @Sendable func show(_ request: Request, context: AdminRequestContext) async throws -> ProviderAnswer {
        try await answer(try context.id("provider"), context)
    }

    struct CreateRequest: JSONBody {
        let name: String
        let kind: String
        let clientID: String
        let secret: Secret
        let issuer: String?
        let label: String?
        let scopes: [String]?
        let teamID: String?
        let keyID: String?
        let allowsSignUp: Bool?
        let keepsTokens: Bool?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case name, kind, secret, issuer, label, scopes
            case clientID = "client_id"
            case teamID = "team_id"
            case keyID = "key_id"
            case allowsSignUp = "allows_sign_up"
            case keepsTokens = "keeps_tokens"
        }
    }

    @Sendable func create(
        _ request: Request, context: AdminRequestContext
    ) async throws -> EditedResponse<ProviderAnswer> {
        let (body, admin) = try await context.write(request, CreateRequest.self)
        let wanted = try ProviderSettings.wanted(body, allowsPrivate: flow.allowsPrivate)
        let id = try await flow.create(wanted, for: admin, in: context.scope).value
        return EditedResponse(status: .created, response: try await answer(id, context))
    }

    struct ChangeRequest: JSONBody {
        let clientID: String?
        let secret: Secret?
        let label: String?
        let scopes: [String]?
        let keyID: String?
        let allowsSignUp: Bool?
        let keepsTokens: Bool?
        let state: String?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case secret, label, scopes, state
            case clientID = "client_id"
            case keyID = "key_id"
            case allowsSignUp = "allows_sign_up"
            case keepsTokens = "keeps_tokens"
        }
    }

    @Sendable func change(_ request: Request, context: AdminRequestContext) async throws -> ProviderAnswer {
        let (body, admin) = try await context.write(request, ChangeRequest.self)
        let change = try ProviderSettings.change(body)
        let id = try await flow.change(
            try context.id("provider"), change, secret: try body.secret.map(ProviderSettings.secret), for: admin,
            in: context.scope
        ).value
        return try await answer(id, context)
    }

    @Sendable func delete(_ request: Request, context: AdminRequestContext) async throws -> Response {
        let admin = try context.write(request)
        _ = try await flow.delete(try context.id("provider"), for: admin, in: context.scope).value
        return Response(status: .noContent)
    }

    private func answer(_ id: IdentityProviderID, _ context: AdminRequestContext) async throws -> ProviderAnswer {
        guard let provider = try await flow.provider(id, in: context.scope) else { throw Problem(.notFound) }
        return answer(provider, context)
    }

    private func answer(_ provider: IdentityProviderRecord, _ context: AdminRequestContext) -> ProviderAnswer {
        ProviderAnswer(
            provider,
            redirectURI: ProviderSignInFlow.redirectURI(
                of: provider.name, in: context.scope.appID, baseURL: baseURL))
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

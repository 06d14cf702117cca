import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /v1/admin/api-keys`, and `DELETE …/api-keys/{key}`.
struct AdminKeyRoutes: Sendable {
    let flow: AdminKeyFlow
    let keys: KeyRing

    func mount(_ global: AdminGroup) {
        global.on(.get, "/api-keys", .apiKeysRead, .anywhere, use: list)
        global.on(.post, "/api-keys", .apiKeysWrite, .anywhere, use: create)
        global.on(.delete, "/api-keys/{key}", .apiKeysWrite, .anywhere, use: revoke)
    }

    struct KeyAnswer: ResponseEncodable {
        let id: APIKeyID
        let name: String
        let prefix: String
        let role: AdminRole
        /// Nil for all apps.
        let app: AppID?
        /// Nil for one that an operator made.
        let madeBy: UserID?
        let createdAt: Instant
        let expiresAt: Instant
        let revokedAt: Instant?

        enum CodingKeys: String, CodingKey {
            case id, name, prefix, role, app
            case madeBy = "made_by"
            case createdAt = "created_at"
            case expiresAt = "expires_at"
            case revokedAt = "revoked_at"
        }

        init(_ key: APIKeyRecord) {
            (id, name, prefix, role, app) = (key.id, key.name, key.prefix, key.grant.role, key.grant.app)
            (madeBy, createdAt, expiresAt, revokedAt) = (key.madeBy, key.createdAt, key.expiresAt, key.revokedAt)
        }
    }

    @Sendable func list(_ request: Request, context: AdminRequestContext) async throws -> ListAnswer<KeyAnswer> {
        let query = try QueryParameters(request, known: ListPage.parameters)
        let page = try ListPage(query, of: "api-keys", context, keys: keys)
        let found = try await flow.keys(visibleTo: context.principal, after: page.cursor, limit: page.readLimit)
        return page.answer(found, position: { ($0.createdAt, $0.id.uuid) }, KeyAnswer.init)
    }

    struct CreateRequest: JSONBody {
        let name: String
        let role: AdminRole
        let app: AppID?
        let expiresInDays: Int64

        enum CodingKeys: String, CodingKey, CaseIterable {
            case name, role, app
            case expiresInDays = "expires_in_days"
        }
    }

    struct NewKeyAnswer: ResponseEncodable {
        let id: APIKeyID
        /// The key itself, here and nowhere else.
        let key: String
        let expiresAt: Instant

        enum CodingKeys: String, CodingKey {
            case id, key
            case expiresAt = "expires_at"
        }
    }

    @Sendable func create(
        _ request: Request, context: AdminRequestContext
    ) async throws -> EditedResponse<NewKeyAnswer> {
        let (body, admin) = try await context.writeOnce(request, CreateRequest.self)
        guard (1...100).contains(body.name.unicodeScalars.count) else {
            throw Problem(.invalidRequest, detail: "name has 1 to 100 characters.")
        }
        let daysMax = Lifetimes.apiKeyMax.wholeSeconds / 86400
        guard (1...daysMax).contains(body.expiresInDays) else {
            throw Problem(.invalidRequest, detail: "expires_in_days is a number from 1 to \(daysMax).")
        }
        let outcome = try await flow.create(
            named: body.name, AdminGrant(body.role, in: body.app), life: .hours(24 * body.expiresInDays), for: admin)
        switch outcome {
        case .done(let key):
            return EditedResponse(
                status: .created,
                response: NewKeyAnswer(id: key.id, key: key.token.secret.revealed, expiresAt: key.expiresAt))
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }

    @Sendable func revoke(
        _ request: Request, context: AdminRequestContext
    ) async throws -> HTTPResponse.Status {
        switch try await flow.revoke(try context.id("key"), for: try context.write(request)) {
        case .done: return .noContent
        case .refused(let refusal): throw Problem(refusal)
        }
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET /v1/admin/admins`, `PUT` and `DELETE …/admins/{user}/grants/{target}`, and `POST /v1/admin/invitations`.
struct AdminGrantRoutes: Sendable {
    let flow: AdminGrantFlow
    let invitations: AdminInvitationFlow
    let keys: KeyRing

    func mount(_ global: AdminGroup) {
        global.on(.get, "/admins", .adminsRead, use: list)
        global.on(.put, "/admins/{user}/grants/{target}", .adminsWrite, use: set)
        global.on(.delete, "/admins/{user}/grants/{target}", .adminsWrite, use: remove)
        global.on(.post, "/invitations", .adminsWrite, use: invite)
    }

    struct GrantAnswer: Encodable {
        let role: AdminRole
        /// Nil for all apps.
        let app: AppID?

        init(_ grant: AdminGrant) {
            (role, app) = (grant.role, grant.app)
        }
    }

    struct AdminAnswer: ResponseEncodable {
        let user: AdminUserRoutes.UserAnswer
        let grants: [GrantAnswer]

        init(_ admin: AdminRecord) {
            (user, grants) = (AdminUserRoutes.UserAnswer(admin.user), admin.grants.map(GrantAnswer.init))
        }
    }

    @Sendable func list(_ request: Request, context: AdminRequestContext) async throws -> ListAnswer<AdminAnswer> {
        let query = try QueryParameters(request, known: ListPage.parameters)
        let page = try ListPage(query, of: "admins", context, keys: keys)
        let admins = try await flow.admins(after: page.cursor, limit: page.readLimit)
        return page.answer(admins, position: { ($0.user.createdAt, $0.user.id.uuid) }, AdminAnswer.init)
    }

    struct SetRequest: JSONBody {
        let role: AdminRole

        enum CodingKeys: CodingKey, CaseIterable {
            case role
        }
    }

    @Sendable func set(_ request: Request, context: AdminRequestContext) async throws -> AdminAnswer {
        let (body, admin) = try await context.write(request, SetRequest.self)
        let grant = try Self.grant(body.role, in: try Self.target(context))
        switch try await flow.set(grant, of: try context.id("user"), for: admin) {
        case .done(let user):
            guard let record = try await flow.admin(user) else { throw Problem(.notFound) }
            return AdminAnswer(record)
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }

    @Sendable func remove(
        _ request: Request, context: AdminRequestContext
    ) async throws -> HTTPResponse.Status {
        let (target, admin) = (try Self.target(context), try context.write(request))
        switch try await flow.remove(from: try context.id("user"), for: target, for: admin) {
        case .done: return .noContent
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    struct InviteRequest: JSONBody {
        let email: EmailAddress
        let role: AdminRole
        let app: AppID?

        enum CodingKeys: CodingKey, CaseIterable {
            case email, role, app
        }
    }

    struct InvitationAnswer: ResponseEncodable {
        let id: FlowID
        let email: String
        let role: AdminRole
        let app: AppID?
        let createdAt: Instant
        let expiresAt: Instant

        enum CodingKeys: String, CodingKey {
            case id, email, role, app
            case createdAt = "created_at"
            case expiresAt = "expires_at"
        }
    }

    @Sendable func invite(
        _ request: Request, context: AdminRequestContext
    ) async throws -> EditedResponse<InvitationAnswer> {
        let (body, admin) = try await context.write(request, InviteRequest.self)
        let grant = try Self.grant(body.role, in: body.app)
        switch try await invitations.invite(body.email, as: grant, for: admin) {
        case .done(let id):
            guard let made = try await invitations.invitation(id) else { throw Problem(.notFound) }
            return EditedResponse(
                status: .accepted,
                response: InvitationAnswer(
                    id: made.flow, email: made.email, role: made.grant.role, app: made.grant.app,
                    createdAt: made.createdAt, expiresAt: made.expiresAt))
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }

    /// A role for an app or for all; throws a `Problem` for owners of one app, which there are none of.
    private static func grant(_ role: AdminRole, in app: AppID?) throws -> AdminGrant {
        guard role != .owner || app == nil else {
            throw Problem(.invalidRequest, detail: "Owners are owners of all apps.")
        }
        return AdminGrant(role, in: app)
    }

    /// `all` or an app's id; throws 404 for what is neither.
    private static func target(_ context: AdminRequestContext) throws -> AppID? {
        context.parameters.get("target") == "all" ? nil : try context.id("target", as: AppID.self)
    }
}

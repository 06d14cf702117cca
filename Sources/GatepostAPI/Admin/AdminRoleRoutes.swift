import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `/v1/admin/apps/{app}/roles`, and `PUT` and `DELETE /v1/admin/apps/{app}/users/{user}/roles/{role}`.
struct AdminRoleRoutes: Sendable {
    let flow: AdminRoleFlow
    let users: AdminUserFlow
    let keys: KeyRing

    func mount(_ ofApp: AdminGroup) {
        ofApp.on(.get, "/roles", .rolesRead, use: list)
        ofApp.on(.post, "/roles", .rolesWrite, use: create)
        ofApp.on(.get, "/roles/{role}", .rolesRead, use: show)
        ofApp.on(.patch, "/roles/{role}", .rolesWrite, use: change)
        ofApp.on(.delete, "/roles/{role}", .rolesWrite, use: delete)
        ofApp.on(.put, "/users/{user}/roles/{role}", .rolesWrite, use: assign)
        ofApp.on(.delete, "/users/{user}/roles/{role}", .rolesWrite, use: unassign)
    }

    struct RoleAnswer: ResponseEncodable {
        let id: RoleID
        let name: String
        let description: String
        let permissions: [String]
        let requiresSecondFactor: Bool
        let createdAt: Instant
        let changedAt: Instant

        enum CodingKeys: String, CodingKey {
            case id, name, description, permissions
            case requiresSecondFactor = "requires_second_factor"
            case createdAt = "created_at"
            case changedAt = "changed_at"
        }

        init(_ role: RoleRecord) {
            (id, name, description, permissions) = (role.id, role.name, role.description, role.permissions)
            requiresSecondFactor = role.requiresFactor
            (createdAt, changedAt) = (role.createdAt, role.changedAt)
        }
    }

    @Sendable func list(_ request: Request, context: AdminRequestContext) async throws -> ListAnswer<RoleAnswer> {
        let query = try QueryParameters(request, known: ListPage.parameters)
        let page = try ListPage(query, of: "roles", context, keys: keys)
        let roles = try await flow.roles(after: page.cursor, limit: page.readLimit, in: context.scope)
        return page.answer(roles, position: { ($0.createdAt, $0.id.uuid) }, RoleAnswer.init)
    }

    @Sendable func show(_ request: Request, context: AdminRequestContext) async throws -> RoleAnswer {
        try await answer(try context.id("role"), context)
    }

    struct CreateRequest: JSONBody {
        let name: String
        let description: String?
        let permissions: [String]
        let requiresSecondFactor: Bool?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case name, description, permissions
            case requiresSecondFactor = "requires_second_factor"
        }
    }

    @Sendable func create(
        _ request: Request, context: AdminRequestContext
    ) async throws -> EditedResponse<RoleAnswer> {
        let (body, admin) = try await context.write(request, CreateRequest.self)
        var content = RoleContent(
            name: body.name, description: body.description ?? "", permissions: body.permissions)
        content?.requiresFactor = body.requiresSecondFactor ?? false
        guard let content else { throw Self.unusable }
        switch try await flow.create(content, for: admin, in: context.scope) {
        case .done(let id): return EditedResponse(status: .created, response: try await answer(id, context))
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    struct ChangeRequest: JSONBody {
        let name: String?
        let description: String?
        let permissions: [String]?
        let requiresSecondFactor: Bool?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case name, description, permissions
            case requiresSecondFactor = "requires_second_factor"
        }
    }

    @Sendable func change(_ request: Request, context: AdminRequestContext) async throws -> RoleAnswer {
        let (body, admin) = try await context.write(request, ChangeRequest.self)
        guard body.name != nil || body.description != nil || body.permissions != nil || body.requiresSecondFactor != nil
        else {
            throw Problem(.invalidRequest, detail: "Name at least one field to change.")
        }
        // What is wrong with the new values is found without those that stay.
        let trial = RoleContent(
            name: body.name ?? "role", description: body.description ?? "", permissions: body.permissions ?? [])
        guard trial != nil else { throw Self.unusable }
        let outcome = try await flow.change(try context.id("role"), for: admin, in: context.scope) { before in
            var content = RoleContent(
                name: body.name ?? before.name, description: body.description ?? before.description,
                permissions: body.permissions ?? before.permissions)
            content?.requiresFactor = body.requiresSecondFactor ?? before.requiresFactor
            return content
        }
        switch outcome {
        case .done(let id): return try await answer(id, context)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    @Sendable func delete(_ request: Request, context: AdminRequestContext) async throws -> HTTPResponse.Status {
        let admin = try context.write(request)
        switch try await flow.delete(try context.id("role"), for: admin, in: context.scope) {
        case .done: return .noContent
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    @Sendable func assign(
        _ request: Request, context: AdminRequestContext
    ) async throws -> AdminUserRoutes.DetailAnswer {
        try await setAssigned(true, request, context)
    }

    @Sendable func unassign(
        _ request: Request, context: AdminRequestContext
    ) async throws -> AdminUserRoutes.DetailAnswer {
        try await setAssigned(false, request, context)
    }

    private func setAssigned(
        _ isAssigned: Bool, _ request: Request, _ context: AdminRequestContext
    ) async throws -> AdminUserRoutes.DetailAnswer {
        let admin = try context.write(request)
        let outcome = try await flow.setAssigned(
            isAssigned, try context.id("role"), of: try context.id("user"), for: admin, in: context.scope)
        switch outcome {
        case .done(let id):
            guard let detail = try await users.user(id, in: context.scope) else { throw Problem(.notFound) }
            return AdminUserRoutes.DetailAnswer(detail)
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }

    private func answer(_ id: RoleID, _ context: AdminRequestContext) async throws -> RoleAnswer {
        guard let role = try await flow.role(id, in: context.scope) else { throw Problem(.notFound) }
        return RoleAnswer(role)
    }

    private static var unusable: Problem {
        Problem(
            .invalidRequest,
            detail: "A name has 1 to 40 of a-z 0-9 _ . : - and begins with a letter; a permission has 1 to 64 of these "
                + "and * /, at most 100 of them; a description has at most 200 characters.")
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET /v1/admin/apps/{app}/users`, one of them, and its `deactivate` and `reactivate`.
struct AdminUserRoutes: Sendable {
    /// The longest note that an admin may leave in the audit trail, in characters.
    static let noteLengthMax = 500

    let flow: AdminUserFlow
    let keys: KeyRing

    func mount(_ ofApp: AdminGroup) {
        ofApp.on(.get, "/users", .usersRead, use: list)
        ofApp.on(.get, "/users/{user}", .usersRead, use: show)
        ofApp.on(.put, "/users/{user}/claims", .rolesWrite, use: setClaims)
        ofApp.on(.post, "/users/{user}/deactivate", .usersWrite, use: deactivate)
        ofApp.on(.post, "/users/{user}/reactivate", .usersWrite, use: reactivate)
    }

    struct UserAnswer: ResponseEncodable {
        let id: UserID
        let email: String
        let emailVerifiedAt: Instant?
        let state: String
        let createdAt: Instant
        let deactivatedAt: Instant?

        enum CodingKeys: String, CodingKey {
            case id, email, state
            case emailVerifiedAt = "email_verified_at"
            case createdAt = "created_at"
            case deactivatedAt = "deactivated_at"
        }

        init(_ user: UserRecord) {
            (id, email, emailVerifiedAt) = (user.id, user.email, user.emailVerifiedAt)
            state = user.isDeactivated ? "deactivated" : "active"
            (createdAt, deactivatedAt) = (user.createdAt, user.deactivatedAt)
        }
    }

    @Sendable func list(_ request: Request, context: AdminRequestContext) async throws -> ListAnswer<UserAnswer> {
        let query = try QueryParameters(request, known: ListPage.parameters.union(["email", "state"]))
        let filter = UserFilter(
            emailPrefix: query["email"], state: try query.value("state", UserFilter.State.init(rawValue:)))
        let page = try ListPage(query, of: "users \(filter.text)", context, keys: keys)
        let users = try await flow.users(filter, after: page.cursor, limit: page.readLimit, in: context.scope)
        return page.answer(users, position: { ($0.createdAt, $0.id.uuid) }, UserAnswer.init)
    }

    struct DetailAnswer: ResponseEncodable {
        let user: UserAnswer
        let sessions: [SessionAnswer]
        let roles: [Role]
        /// What admins have noted, by name.
        let claims: [String: CustomClaims.Value]

        /// A role of the app's that the user has.
        struct Role: Encodable {
            let id: RoleID
            let name: String
        }

        init(_ detail: UserDetail) {
            user = UserAnswer(detail.user)
            sessions = detail.sessions.map(SessionAnswer.init)
            roles = detail.roles.map { Role(id: $0.id, name: $0.name) }
            claims = detail.claims.values
        }
    }

    struct SessionAnswer: Encodable {
        let id: SessionID
        /// Left out for a browser that is signed in to the hosted pages.
        let clientID: ClientID?
        let device: String?
        let userAgent: String?
        let ip: String?
        let createdAt: Instant
        let authenticatedAt: Instant
        let lastUsedAt: Instant
        let expiresAt: Instant

        enum CodingKeys: String, CodingKey {
            case id, device, ip
            case clientID = "client_id"
            case userAgent = "user_agent"
            case createdAt = "created_at"
            case authenticatedAt = "authenticated_at"
            case lastUsedAt = "last_used_at"
            case expiresAt = "expires_at"
        }

        init(_ session: SessionRecord) {
            (id, clientID, device) = (session.id, session.clientID, session.device)
            (userAgent, ip, createdAt) = (session.userAgent, session.ip, session.createdAt)
            (authenticatedAt, lastUsedAt) = (session.authenticatedAt, session.lastUsedAt)
            expiresAt = session.expiresAt
        }
    }

    @Sendable func show(_ request: Request, context: AdminRequestContext) async throws -> DetailAnswer {
        guard let detail = try await flow.user(try context.id("user"), in: context.scope) else {
            throw Problem(.notFound)
        }
        return DetailAnswer(detail)
    }

    struct ClaimsRequest: JSONBody {
        let claims: [String: CustomClaims.Value]

        enum CodingKeys: CodingKey, CaseIterable {
            case claims
        }
    }

    @Sendable func setClaims(_ request: Request, context: AdminRequestContext) async throws -> DetailAnswer {
        let (body, admin) = try await context.write(request, ClaimsRequest.self)
        guard let claims = CustomClaims(body.claims) else {
            throw Problem(
                .invalidRequest,
                detail: "claims are at most \(CustomClaims.countMax), \(CustomClaims.bytesMax) bytes as JSON, each a "
                    + "text, an integer, a boolean or a list of texts, under a name in snake_case that is not reserved."
            )
        }
        let id: UserID = try context.id("user")
        switch try await flow.setClaims(claims, of: id, for: admin, in: context.scope) {
        case .done: return try await show(request, context: context)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    struct NoteRequest: JSONBody {
        let note: String?

        enum CodingKeys: CodingKey, CaseIterable {
            case note
        }
    }

    @Sendable func deactivate(_ request: Request, context: AdminRequestContext) async throws -> UserAnswer {
        let (body, admin) = try await context.write(request, NoteRequest.self)
        let note = try Self.checked(body.note)
        return try await answer(
            try await flow.deactivate(try context.id("user"), note: note, for: admin, in: context.scope), context)
    }

    @Sendable func reactivate(_ request: Request, context: AdminRequestContext) async throws -> UserAnswer {
        let (body, admin) = try await context.write(request, NoteRequest.self)
        let note = try Self.checked(body.note)
        return try await answer(
            try await flow.reactivate(try context.id("user"), note: note, for: admin, in: context.scope), context)
    }

    private func answer(
        _ outcome: AdminOutcome<UserID>, _ context: AdminRequestContext
    ) async throws -> UserAnswer {
        switch outcome {
        case .done(let id):
            guard let detail = try await flow.user(id, in: context.scope) else { throw Problem(.notFound) }
            return UserAnswer(detail.user)
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }

    /// A note that may be left in the audit trail; nil for an empty one.
    static func checked(_ note: String?) throws -> String? {
        guard (note ?? "").unicodeScalars.count <= noteLengthMax else {
            throw Problem(.invalidRequest, detail: "note has at most \(noteLengthMax) characters.")
        }
        return note.flatMap { $0.isEmpty ? nil : $0 }
    }
}

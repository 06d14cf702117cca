import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET /v1/apps/{app}/me`, and the sessions of a signed-in user: listed, one ended, all or all others ended.
struct SessionRoutes: Sendable {
    let signOut: SignOutFlow
    let sessions: OwnSessionsFlow
    let keys: KeyRing

    var endpoints: RouteCollection<UserRequestContext> {
        RouteCollection(context: UserRequestContext.self)
            .get("me", use: me)
            .delete("sessions/current", use: endCurrent)
            .get("sessions", use: list)
            .delete("sessions/{session}", use: end)
            .delete("sessions", use: endAll)
    }

    @Sendable func me(_ request: Request, context: UserRequestContext) async throws -> Response {
        Response(Self.me(context.session))
    }

    /// What `me` answers, with the members in order; it is what apps ask for most.
    private static func me(_ session: LiveSession) -> JSONText {
        var text = JSONText()
        text.add("session") { text in
            text.add("authenticated_at", session.authenticatedAt)
            text.add("client_id", session.clientID)
            text.add("expires_at", session.expiresAt)
            text.add("id", session.id)
        }
        text.add("user") { text in
            text.add("created_at", session.user.createdAt)
            text.add("email", session.user.email)
            if let verifiedAt = session.user.emailVerifiedAt { text.add("email_verified_at", verifiedAt) }
            text.add("id", session.user.id)
        }
        text.end()
        return text
    }

    @Sendable func endCurrent(_ request: Request, context: UserRequestContext) async throws -> HTTPResponse.Status {
        try await signOut.signOut(context.session, in: context.scope, from: context.origin(of: request))
        return .noContent
    }

    /// A session as its user sees it.
    struct SessionAnswer: Encodable {
        let id: SessionID
        let clientID: ClientID?
        /// Whether it is the one that asks.
        let current: Bool
        let device: String?
        let userAgent: String?
        let ip: String?
        let createdAt: Instant
        let lastUsedAt: Instant
        let expiresAt: Instant

        enum CodingKeys: String, CodingKey {
            case id, current, device, ip
            case clientID = "client_id"
            case userAgent = "user_agent"
            case createdAt = "created_at"
            case lastUsedAt = "last_used_at"
            case expiresAt = "expires_at"
        }

        init(_ session: SessionRecord, current: SessionID) {
            (id, clientID, self.current) = (session.id, session.clientID, session.id == current)
            (device, userAgent, ip) = (session.device, session.userAgent, session.ip)
            (createdAt, lastUsedAt, expiresAt) = (session.createdAt, session.lastUsedAt, session.expiresAt)
        }
    }

    @Sendable func list(
        _ request: Request, context: UserRequestContext
    ) async throws -> ListAnswer<SessionAnswer> {
        let query = try QueryParameters(request, known: ListPage.parameters)
        let page = try ListPage(
            query, of: "sessions \(context.session.user.id)", app: context.scope.appID, keys: keys)
        let found = try await sessions.sessions(
            of: context.session, after: page.cursor, limit: page.readLimit, in: context.scope)
        return page.answer(found, position: { ($0.createdAt, $0.id.uuid) }) {
            SessionAnswer($0, current: context.session.id)
        }
    }

    @Sendable func end(_ request: Request, context: UserRequestContext) async throws -> HTTPResponse.Status {
        guard let id = context.parameters.get("session", as: SessionID.self) else { throw Problem(.notFound) }
        let refusal = try await sessions.end(
            id, by: context.session, in: context.scope, from: context.origin(of: request))
        if let refusal { throw Problem(refusal) }
        return .noContent
    }

    @Sendable func endAll(_ request: Request, context: UserRequestContext) async throws -> HTTPResponse.Status {
        let query = try QueryParameters(request, known: ["except"])
        let keepsCurrent = try query.value("except") { $0 == "current" ? true : nil } ?? false
        let origin = context.origin(of: request)
        if keepsCurrent {
            try await sessions.endOthers(than: context.session, in: context.scope, from: origin)
        } else {
            try await signOut.signOutEverywhere(context.session, in: context.scope, from: origin)
        }
        return .noContent
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET /v1/apps/{app}/me`, `DELETE …/sessions/current` and `DELETE …/sessions`, for a signed-in user.
struct SessionRoutes: Sendable {
    let signOut: SignOutFlow

    var endpoints: RouteCollection<UserRequestContext> {
        RouteCollection(context: UserRequestContext.self)
            .get("me", use: me)
            .delete("sessions/current", use: endCurrent)
            .delete("sessions", use: endAll)
    }

    struct MeResponse: ResponseEncodable {
        let user: User
        let session: Session

        struct User: Encodable {
            let id: UserID
            let email: String
            let emailVerifiedAt: Instant?
            let createdAt: Instant

            enum CodingKeys: String, CodingKey {
                case id, email
                case emailVerifiedAt = "email_verified_at"
                case createdAt = "created_at"
            }
        }

        struct Session: Encodable {
            let id: SessionID
            let clientID: ClientID
            let authenticatedAt: Instant
            let expiresAt: Instant

            enum CodingKeys: String, CodingKey {
                case id
                case clientID = "client_id"
                case authenticatedAt = "authenticated_at"
                case expiresAt = "expires_at"
            }
        }

        init(_ session: LiveSession) {
            user = User(
                id: session.user.id, email: session.user.email, emailVerifiedAt: session.user.emailVerifiedAt,
                createdAt: session.user.createdAt)
            self.session = Session(
                id: session.id, clientID: session.clientID, authenticatedAt: session.authenticatedAt,
                expiresAt: session.expiresAt)
        }
    }

    @Sendable func me(_ request: Request, context: UserRequestContext) async throws -> MeResponse {
        MeResponse(context.session)
    }

    @Sendable func endCurrent(_ request: Request, context: UserRequestContext) async throws -> HTTPResponse.Status {
        try await signOut.signOut(context.session, in: context.scope, from: context.origin(of: request))
        return .noContent
    }

    @Sendable func endAll(_ request: Request, context: UserRequestContext) async throws -> HTTPResponse.Status {
        try await signOut.signOutEverywhere(context.session, in: context.scope, from: context.origin(of: request))
        return .noContent
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET /v1/apps/{app}/me/identities` and `DELETE …/me/identities/{identity}`, for a signed-in user.
struct IdentityRoutes: Sendable {
    let flow: IdentityFlow

    var endpoints: RouteCollection<UserRequestContext> {
        RouteCollection(context: UserRequestContext.self)
            .get("me/identities", use: list)
            .delete("me/identities/{identity}", use: unlink)
    }

    struct IdentitiesAnswer: ResponseEncodable {
        let items: [Identity]

        struct Identity: Encodable {
            let id: UserIdentityID
            let issuer: String
            let subject: String
            let email: String?
            let provider: String?
            let label: String?
            let createdAt: Instant
            let lastUsedAt: Instant

            enum CodingKeys: String, CodingKey {
                case id, issuer, subject, email, provider, label
                case createdAt = "created_at"
                case lastUsedAt = "last_used_at"
            }

            init(_ identity: UserIdentityRecord) {
                (id, issuer, subject, email) = (identity.id, identity.issuer, identity.subject, identity.email)
                (provider, label) = (identity.providerName, identity.providerLabel)
                (createdAt, lastUsedAt) = (identity.createdAt, identity.lastUsedAt)
            }
        }
    }

    @Sendable func list(_ request: Request, context: UserRequestContext) async throws -> IdentitiesAnswer {
        let identities = try await flow.identities(of: context.session.user.id, in: context.scope)
        return IdentitiesAnswer(items: identities.map(IdentitiesAnswer.Identity.init))
    }

    @Sendable func unlink(_ request: Request, context: UserRequestContext) async throws -> HTTPResponse.Status {
        guard let id = context.parameters.get("identity", as: UserIdentityID.self) else { throw Problem(.notFound) }
        let refusal = try await flow.unlink(
            id, of: context.session.user.id, session: context.session.id, in: context.scope,
            from: context.origin(of: request))
        if let refusal { throw Problem(refusal) }
        return .noContent
    }
}

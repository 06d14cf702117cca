import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET /v1/apps/{app}/me/consents` and `DELETE …/me/consents/{client}`, for a signed-in user.
struct ConsentRoutes: Sendable {
    let flow: ConsentFlow
    let keys: KeyRing

    var endpoints: RouteCollection<UserRequestContext> {
        RouteCollection(context: UserRequestContext.self)
            .get("me/consents", use: list)
            .delete("me/consents/{client}", use: revoke)
    }

    /// A client that the user has let use their account.
    struct ConsentAnswer: Encodable {
        let clientID: ClientID
        let clientName: String
        /// What it may be told.
        let scope: String
        let createdAt: Instant
        let grantedAt: Instant

        enum CodingKeys: String, CodingKey {
            case scope
            case clientID = "client_id"
            case clientName = "client_name"
            case createdAt = "created_at"
            case grantedAt = "granted_at"
        }

        init(_ consent: ConsentRecord) {
            (clientID, clientName) = (consent.clientID, consent.clientName)
            scope = consent.scope.description
            (createdAt, grantedAt) = (consent.createdAt, consent.grantedAt)
        }
    }

    @Sendable func list(_ request: Request, context: UserRequestContext) async throws -> ListAnswer<ConsentAnswer> {
        let query = try QueryParameters(request, known: ListPage.parameters)
        let user = context.session.user.id
        let page = try ListPage(query, of: "consents \(user)", app: context.scope.appID, keys: keys)
        let found = try await flow.consents(of: user, after: page.cursor, limit: page.readLimit, in: context.scope)
        return page.answer(found, position: { ($0.grantedAt, $0.clientID.uuid) }, ConsentAnswer.init)
    }

    @Sendable func revoke(_ request: Request, context: UserRequestContext) async throws -> HTTPResponse.Status {
        guard let client = context.parameters.get("client", as: ClientID.self) else { throw Problem(.notFound) }
        let refusal = try await flow.revoke(
            client, of: context.session.user.id, session: context.session.id, in: context.scope,
            from: context.origin(of: request))
        if let refusal { throw Problem(refusal) }
        return .noContent
    }
}

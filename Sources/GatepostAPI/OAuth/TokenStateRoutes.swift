import FoundationEssentials
import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `POST /apps/{app}/oauth/revoke` (RFC 7009) and `POST /apps/{app}/oauth/introspect` (RFC 7662).
///
/// `token_type_hint` is passed over: a token says by its form what it is.
struct TokenStateRoutes: Sendable {
    let clients: ClientAuthentication
    let revocation: RevocationFlow
    let introspection: IntrospectionFlow
    let baseURL: String

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .post("oauth/revoke", use: revoke)
            .post("oauth/introspect", use: introspect)
    }

    @Sendable func revoke(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.issuerForm()
        let client = try await clients.client(of: request, form, context: context)
        let outcome = try await revocation.revoke(
            try form.required("token"), by: client.id, in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .done: return Response(status: .ok, headers: [.cacheControl: "no-store"])
        case .foreign: throw OAuthError.refusedGrant
        case .unsupported:
            throw OAuthError(
                .unsupportedTokenType, "A token of the client itself ends by its own time.", cause: .invalidRequest)
        }
    }

    /// What a token is; of one that is not alive, nothing but that.
    private struct Answer: Encodable {
        var active = false
        var tokenType: String?
        var clientID: ClientID?
        /// Only of a client of a third party's.
        var party: ClientParty?
        var scope: String?
        var iss: String?
        var sub: String?
        var aud: AppID?
        var sid: SessionID?
        var jti: String?
        var exp: Int64?
        var iat: Int64?

        enum CodingKeys: String, CodingKey {
            case active, party, scope, iss, sub, aud, sid, jti, exp, iat
            case tokenType = "token_type"
            case clientID = "client_id"
        }
    }

    @Sendable func introspect(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.issuerForm()
        let client = try await clients.client(of: request, form, context: context)
        guard client.type == .confidential else {
            throw OAuthError(.invalidClient, "Only a confidential client may ask.", cause: .permissionDenied)
        }
        let living = try await introspection.introspect(
            try form.required("token"), by: client.id, in: context.scope)
        let answer = living.map { self.answer($0, to: client, context) } ?? Answer()
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: try JSONEncoder.answers.encode(answer))))
    }

    /// Whoever asks is the token's client, so what it is now is what is told.
    private func answer(
        _ living: IntrospectionFlow.Living, to client: ClientRecord, _ context: AppRequestContext
    ) -> Answer {
        var answer = Answer(active: true)
        answer.party = client.party == .third ? .third : nil
        answer.iss = TokenIssuer.issuer(of: context.scope.appID, baseURL: baseURL)
        answer.aud = context.scope.appID
        switch living {
        case .access(let claims):
            answer.tokenType = "Bearer"
            (answer.clientID, answer.sub, answer.sid) = (claims.clientID, claims.sub, claims.sid)
            answer.scope = claims.scope.values.isEmpty ? nil : claims.scope.description
            (answer.jti, answer.exp, answer.iat) = (claims.jti, claims.exp, claims.iat)
        case .refresh(let token, let subject):
            (answer.clientID, answer.sub, answer.sid) = (token.clientID, subject, token.sessionID)
            answer.scope = token.scope.values.isEmpty ? nil : token.scope.description
            (answer.exp, answer.iat) = (token.expiresAt.seconds, token.createdAt.seconds)
        }
        return answer
    }
}

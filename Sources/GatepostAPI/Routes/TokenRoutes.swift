import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `POST /apps/{app}/oauth/token` (RFC 6749, sections 4.1.3, 4.4 and 6, with PKCE from RFC 7636).
struct TokenRoutes: Sendable {
    let clients: ClientAuthentication
    let codeExchange: CodeExchangeFlow
    let refresh: RefreshFlow
    let clientToken: ClientTokenFlow

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .post("oauth/token", use: token)
    }

    @Sendable func token(_ request: Request, context: AppRequestContext) async throws -> Response {
        let form = try await request.issuerForm()
        let grantType = try form.required("grant_type")
        let client = try await clients.client(of: request, form, context: context)
        let origin = context.origin(of: request)
        if grantType == "client_credentials" {
            return try await issue(form, to: client, in: context.scope, from: origin)
        }
        let answer: TokenAnswer? =
            switch grantType {
            case "authorization_code":
                try await codeExchange.exchange(
                    Self.presentation(form, by: client.id), idTokensBy: client.idTokenAlgorithm, in: context.scope,
                    from: origin)
            case "refresh_token":
                try await refresh(form, by: client, in: context.scope, from: origin)
            default:
                throw OAuthError(
                    .unsupportedGrantType, "Use authorization_code, refresh_token or client_credentials.",
                    cause: .invalidRequest)
            }
        guard let answer else { throw OAuthError.refusedGrant }
        return Self.response(answer)
    }

    private func refresh(
        _ form: FormBody, by client: ClientRecord, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> TokenAnswer? {
        let token = try Self.refreshToken(form)
        if let wanted = form["scope"], try await !refresh.covers(wanted, token, in: scope) {
            throw OAuthError(.invalidScope, "The scope is more than what was granted.", cause: .invalidRequest)
        }
        return try await refresh.refresh(
            token, by: client.id, idTokensBy: client.idTokenAlgorithm, narrowedTo: form["scope"].map(GrantScope.init),
            in: scope, from: origin)
    }

    private func issue(
        _ form: FormBody, to client: ClientRecord, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Response {
        guard client.type == .confidential else {
            throw OAuthError(
                .unauthorizedClient, "Only a confidential client gets a token of its own.", cause: .permissionDenied)
        }
        guard form["scope"] == nil else {
            throw OAuthError(.invalidScope, "A token of the client itself has no scope.", cause: .invalidRequest)
        }
        let answer = try await clientToken.issue(to: client, in: scope, from: origin)
        let json = """
            {"access_token":"\(answer.accessToken.revealed)","token_type":"Bearer","expires_in":\(answer.expiresIn)}
            """
        return Self.response(json)
    }

    private static func presentation(_ form: FormBody, by clientID: ClientID) throws -> CodePresentation {
        let text = try form.required("code")
        let redirectURI = try form.required("redirect_uri")
        let verifier = try form.required("code_verifier")
        guard let code = OneTimeToken(.authorizationCode, presented: text) else {
            throw OAuthError(.invalidGrant, "This is no authorization code.", cause: .invalidCode)
        }
        guard let challenge = CodeChallenge(verifier: verifier) else {
            throw OAuthError(
                .invalidGrant, "The code verifier has 43 to 128 unreserved characters.", cause: .invalidCodeChallenge)
        }
        return CodePresentation(code: code, clientID: clientID, redirectURI: redirectURI, challenge: challenge)
    }

    private static func refreshToken(_ form: FormBody) throws -> OneTimeToken {
        guard let token = OneTimeToken(.refresh, presented: try form.required("refresh_token")) else {
            throw OAuthError(.invalidGrant, "This is no refresh token.", cause: .invalidCode)
        }
        return token
    }

    /// Written straight into the buffer: tokens are of characters that JSON takes as they are.
    private static func response(_ answer: TokenAnswer) -> Response {
        let idToken = answer.idToken.map { #","id_token":"\#($0.revealed)""# } ?? ""
        let scope = answer.scope.values.isEmpty ? "" : #","scope":"\#(answer.scope)""#
        let json = """
            {"access_token":"\(answer.accessToken.revealed)","token_type":"Bearer",\
            "expires_in":\(answer.expiresIn),"refresh_token":"\(answer.refreshToken.secret.revealed)"\
            \(scope)\(idToken)}
            """
        return response(json)
    }

    private static func response(_ json: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: json)))
    }
}

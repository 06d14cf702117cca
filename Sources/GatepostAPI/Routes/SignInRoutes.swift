import GatepostFlows
import GatepostModel
import GatepostStore
import Hummingbird

/// `POST /v1/apps/{app}/sign-ins`.
struct SignInRoutes: Sendable {
    let flow: PasswordSignInFlow
    let baseURL: String

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .post("sign-ins", use: signIn)
    }

    struct SignInRequest: JSONBody {
        let clientID: ClientID
        let redirectURI: String
        let codeChallenge: CodeChallenge
        let codeChallengeMethod: String
        let email: EmailAddress
        let password: Secret

        enum CodingKeys: String, CodingKey, CaseIterable {
            case clientID = "client_id"
            case redirectURI = "redirect_uri"
            case codeChallenge = "code_challenge"
            case codeChallengeMethod = "code_challenge_method"
            case email, password
        }
    }

    struct SignInResponse: ResponseEncodable {
        let code: String
        let expiresIn: Int64
        /// So that a client of several issuers knows which one answered (RFC 9207).
        let iss: String

        enum CodingKeys: String, CodingKey {
            case code, iss
            case expiresIn = "expires_in"
        }
    }

    @Sendable func signIn(_ request: Request, context: AppRequestContext) async throws -> SignInResponse {
        let body: SignInRequest = try await request.json()
        guard body.codeChallengeMethod == "S256" else { throw Problem(.invalidCodeChallenge) }
        let outcome = try await flow.signIn(
            body.email, password: body.password,
            to: .init(id: body.clientID, redirectURI: body.redirectURI, challenge: body.codeChallenge),
            in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .passed(let code):
            return SignInResponse(
                code: code.secret.revealed, expiresIn: Lifetimes.authorizationCode.wholeSeconds,
                iss: TokenIssuer.issuer(of: context.scope.appID, baseURL: baseURL))
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }
}

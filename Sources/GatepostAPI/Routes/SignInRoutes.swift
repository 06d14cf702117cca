import GatepostFlows
import GatepostModel
import GatepostStore
import Hummingbird

/// `POST /v1/apps/{app}/sign-ins`.
struct SignInRoutes: Sendable {
    let flow: PasswordSignInFlow
    let devices: KnownDevices
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
        /// What an earlier sign-in on this device answered, where no cookie keeps it.
        let deviceToken: Secret?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case clientID = "client_id"
            case redirectURI = "redirect_uri"
            case codeChallenge = "code_challenge"
            case codeChallengeMethod = "code_challenge_method"
            case email, password
            case deviceToken = "device_token"
        }
    }

    struct SignInResponse: ResponseEncodable {
        let code: String
        let expiresIn: Int64
        /// So that a client of several issuers knows which one answered (RFC 9207).
        let iss: String
        let deviceToken: String

        enum CodingKeys: String, CodingKey {
            case code, iss
            case deviceToken = "device_token"
            case expiresIn = "expires_in"
        }
    }

    @Sendable func signIn(
        _ request: Request, context: AppRequestContext
    ) async throws -> SignInAnswer<SignInResponse> {
        let body: SignInRequest = try await request.json()
        guard body.codeChallengeMethod == "S256" else { throw Problem(.invalidCodeChallenge) }
        var origin = context.origin(of: request)
        if let token = body.deviceToken { origin.device = token }
        let outcome = try await flow.signIn(
            body.email, password: body.password,
            to: .init(id: body.clientID, redirectURI: body.redirectURI, challenge: body.codeChallenge),
            in: context.scope, from: origin)
        switch outcome {
        case .passed(let code):
            let device = devices.token(for: body.email, in: context.scope)
            let answer = SignInResponse(
                code: code.secret.revealed, expiresIn: Lifetimes.authorizationCode.wholeSeconds,
                iss: TokenIssuer.issuer(of: context.scope.appID, baseURL: baseURL), deviceToken: device.revealed)
            var response = EditedResponse(response: answer)
            response.setCookie(DeviceCookie.holding(device, of: context.scope))
            return .code(response)
        case .factorAsked(let challenge): return .challenge(ChallengeAnswer(challenge))
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }
}

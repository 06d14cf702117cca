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

    /// The code, written by hand: what is encoded beside a hash meets cold caches.
    struct SignInResponse: ResponseGenerator {
        let code: OneTimeToken
        let deviceToken: Secret
        /// So that a client of several issuers knows which one answered (RFC 9207).
        let issuer: String

        func response(from request: Request, context: some RequestContext) -> Response {
            var text = JSONText()
            text.add("code", code.secret.revealed)
            text.add("device_token", deviceToken.revealed)
            text.add("expires_in", Lifetimes.authorizationCode.wholeSeconds)
            text.add("iss", issuer)
            text.end()
            return Response(text)
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
                code: code, deviceToken: device,
                issuer: TokenIssuer.issuer(of: context.scope.appID, baseURL: baseURL))
            var response = EditedResponse(response: answer)
            response.setCookie(DeviceCookie.holding(device, of: context.scope))
            return .code(response)
        case .factorAsked(let challenge): return .challenge(ChallengeAnswer(challenge))
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import Hummingbird

/// `POST /v1/apps/{app}/sign-ins/email` and `…/sign-ins/email/verify`.
struct EmailSignInRoutes: Sendable {
    let flow: EmailSignInFlow

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .post("sign-ins/email", use: start)
            .post("sign-ins/email/verify", use: verify)
    }

    struct StartRequest: JSONBody {
        let clientID: ClientID
        let redirectURI: String
        let codeChallenge: CodeChallenge
        let codeChallengeMethod: String
        let email: EmailAddress
        let locale: RequestLocale?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case clientID = "client_id"
            case redirectURI = "redirect_uri"
            case codeChallenge = "code_challenge"
            case codeChallengeMethod = "code_challenge_method"
            case email, locale
        }
    }

    @Sendable func start(
        _ request: Request, context: AppRequestContext
    ) async throws -> EditedResponse<FlowStartResponse> {
        let body: StartRequest = try await request.json()
        guard body.codeChallengeMethod == "S256" else { throw Problem(.invalidCodeChallenge) }
        let start = try await flow.start(
            body.email,
            to: .init(id: body.clientID, redirectURI: body.redirectURI, challenge: body.codeChallenge),
            locale: RequestLocale.tag(of: request, body.locale), in: context.scope,
            from: context.origin(of: request))
        return try FlowStartResponse.answer(start, of: context.scope)
    }

    struct CodeResponse: ResponseEncodable {
        let code: String
        let expiresIn: Int64
        let iss: String
        let deviceToken: String?

        enum CodingKeys: String, CodingKey {
            case code, iss
            case deviceToken = "device_token"
            case expiresIn = "expires_in"
        }
    }

    @Sendable func verify(
        _ request: Request, context: AppRequestContext
    ) async throws -> SignInAnswer<CodeResponse> {
        let body: FlowCodeRequest = try await request.json()
        let outcome = try await flow.verify(
            body.flow, heldBy: body.flowToken.token, code: body.code, in: context.scope,
            from: context.origin(of: request))
        switch outcome {
        case .ended(let ended):
            if let challenge = ended.challenge { return .challenge(ChallengeAnswer(challenge)) }
            return .code(try Self.answer(ended, in: context.scope))
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }

    /// The code that a sign-in ended in.
    static func answer(_ ended: SignInEnding.Ended, in scope: AppScope) throws -> EditedResponse<CodeResponse> {
        // What the JSON API began hangs on a request, so there is an answer to it.
        guard let answer = ended.answer else { throw Problem(.invalidFlow) }
        var response = EditedResponse(
            response: CodeResponse(
                code: answer.code.secret.revealed, expiresIn: Lifetimes.authorizationCode.wholeSeconds,
                iss: answer.issuer, deviceToken: ended.device?.revealed))
        if let device = ended.device { response.setCookie(DeviceCookie.holding(device, of: scope)) }
        return response
    }
}

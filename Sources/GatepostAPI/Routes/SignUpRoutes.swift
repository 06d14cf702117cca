import GatepostFlows
import GatepostModel
import HTTPTypes
import Hummingbird

/// `POST /v1/apps/{app}/sign-ups`, `…/sign-ups/verify` and `…/sign-ups/resend`.
struct SignUpRoutes: Sendable {
    let signUp: SignUpFlow
    let verification: VerificationFlow

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .post("sign-ups", use: start)
            .post("sign-ups/verify", use: verify)
            .post("sign-ups/resend", use: resend)
    }

    struct StartRequest: JSONBody {
        let email: EmailAddress
        let password: Secret
        let locale: RequestLocale?

        enum CodingKeys: CodingKey, CaseIterable {
            case email, password, locale
        }
    }

    struct StartResponse: ResponseEncodable {
        let flow: FlowID
        let flowToken: String
        let expiresAt: Instant

        enum CodingKeys: String, CodingKey {
            case flow
            case flowToken = "flow_token"
            case expiresAt = "expires_at"
        }
    }

    @Sendable func start(
        _ request: Request, context: AppRequestContext
    ) async throws -> EditedResponse<StartResponse> {
        let body: StartRequest = try await request.json()
        let outcome = try await signUp.start(
            body.email, password: body.password, locale: RequestLocale.tag(of: request, body.locale),
            in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .started(let started):
            let answer = StartResponse(
                flow: started.flow, flowToken: started.token.secret.revealed, expiresAt: started.expiresAt)
            var response = EditedResponse(status: .accepted, response: answer)
            response.setCookie(StarterCookie.holding(started.token, of: context.scope))
            return response
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }

    struct VerifyRequest: JSONBody {
        let flow: FlowID
        let flowToken: FlowToken
        let code: String

        enum CodingKeys: String, CodingKey, CaseIterable {
            case flow
            case flowToken = "flow_token"
            case code
        }
    }

    struct VerifyResponse: ResponseEncodable {
        let user: UserID
        let emailVerified: Bool

        enum CodingKeys: String, CodingKey {
            case user
            case emailVerified = "email_verified"
        }
    }

    @Sendable func verify(_ request: Request, context: AppRequestContext) async throws -> VerifyResponse {
        let body: VerifyRequest = try await request.json()
        let outcome = try await verification.verify(
            body.flow, startedBy: body.flowToken.token, code: body.code, in: context.scope,
            from: context.origin(of: request))
        switch outcome {
        case .verified(let user): return VerifyResponse(user: user, emailVerified: true)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    struct ResendRequest: JSONBody {
        let flow: FlowID
        let flowToken: FlowToken

        enum CodingKeys: String, CodingKey, CaseIterable {
            case flow
            case flowToken = "flow_token"
        }
    }

    struct ResendResponse: ResponseEncodable {}

    @Sendable func resend(
        _ request: Request, context: AppRequestContext
    ) async throws -> EditedResponse<ResendResponse> {
        let body: ResendRequest = try await request.json()
        let refusal = try await verification.resend(
            body.flow, startedBy: body.flowToken.token, in: context.scope, from: context.origin(of: request))
        if let refusal { throw Problem(refusal) }
        return EditedResponse(status: .accepted, response: ResendResponse())
    }
}

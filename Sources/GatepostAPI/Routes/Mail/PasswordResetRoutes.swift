import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `POST /v1/apps/{app}/password-resets` and `…/password-resets/confirm`.
struct PasswordResetRoutes: Sendable {
    let flow: PasswordResetFlow

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .post("password-resets", use: start)
            .post("password-resets/confirm", use: confirm)
    }

    struct StartRequest: JSONBody {
        let email: EmailAddress
        let locale: RequestLocale?

        enum CodingKeys: CodingKey, CaseIterable {
            case email, locale
        }
    }

    @Sendable func start(
        _ request: Request, context: AppRequestContext
    ) async throws -> EditedResponse<FlowStartResponse> {
        let body: StartRequest = try await request.json()
        let start = try await flow.start(
            body.email, locale: RequestLocale.tag(of: request, body.locale), in: context.scope,
            from: context.origin(of: request))
        return try FlowStartResponse.answer(start, of: context.scope)
    }

    struct ConfirmRequest: JSONBody {
        let flow: FlowID
        let flowToken: FlowToken
        let code: String
        let password: Secret

        enum CodingKeys: String, CodingKey, CaseIterable {
            case flow
            case flowToken = "flow_token"
            case code, password
        }
    }

    @Sendable func confirm(_ request: Request, context: AppRequestContext) async throws -> HTTPResponse.Status {
        let body: ConfirmRequest = try await request.json()
        let outcome = try await flow.confirm(
            body.flow, heldBy: body.flowToken.token, code: body.code, choosing: body.password, in: context.scope,
            from: context.origin(of: request))
        switch outcome {
        case .changed: return .noContent
        case .refused(let refusal): throw Problem(refusal)
        }
    }
}

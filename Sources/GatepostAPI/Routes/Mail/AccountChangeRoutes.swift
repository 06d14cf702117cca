import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `PUT /v1/apps/{app}/me/password`, `POST …/me/email-changes` and `…/me/email-changes/verify`, for a signed-in user.
struct AccountChangeRoutes: Sendable {
    let passwordChange: PasswordChangeFlow
    let emailChange: EmailChangeFlow

    var endpoints: RouteCollection<UserRequestContext> {
        RouteCollection(context: UserRequestContext.self)
            .put("me/password", use: changePassword)
            .post("me/email-changes", use: startEmailChange)
            .post("me/email-changes/verify", use: verifyEmailChange)
    }

    struct PasswordRequest: JSONBody {
        let currentPassword: Secret
        let newPassword: Secret
        /// True unless it says otherwise: whoever changes a password may do so because somebody else has it.
        let endsOtherSessions: Bool?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case currentPassword = "current_password"
            case newPassword = "new_password"
            case endsOtherSessions = "end_other_sessions"
        }
    }

    @Sendable func changePassword(
        _ request: Request, context: UserRequestContext
    ) async throws -> HTTPResponse.Status {
        let body: PasswordRequest = try await request.json()
        let refusal = try await passwordChange.change(
            for: Asking(context.session), current: body.currentPassword, to: body.newPassword,
            endsOthers: body.endsOtherSessions ?? true, in: context.scope, from: context.origin(of: request))
        if let refusal { throw Problem(refusal) }
        return .noContent
    }

    struct EmailChangeRequest: JSONBody {
        let email: EmailAddress
        let password: Secret?
        let locale: RequestLocale?

        enum CodingKeys: CodingKey, CaseIterable {
            case email, password, locale
        }
    }

    @Sendable func startEmailChange(
        _ request: Request, context: UserRequestContext
    ) async throws -> EditedResponse<FlowStartResponse> {
        let body: EmailChangeRequest = try await request.json()
        let start = try await emailChange.start(
            for: Asking(context.session), to: body.email, password: body.password,
            locale: RequestLocale.tag(of: request, body.locale), in: context.scope,
            from: context.origin(of: request))
        return try FlowStartResponse.answer(start, of: context.scope)
    }

    struct EmailResponse: ResponseEncodable {
        let email: String
    }

    @Sendable func verifyEmailChange(
        _ request: Request, context: UserRequestContext
    ) async throws -> EmailResponse {
        let body: FlowCodeRequest = try await request.json()
        let outcome = try await emailChange.verify(
            body.flow, heldBy: body.flowToken.token, code: body.code, in: context.scope,
            from: context.origin(of: request))
        switch outcome {
        case .changed(let email): return EmailResponse(email: email.ascii)
        case .refused(let refusal): throw Problem(refusal)
        }
    }
}

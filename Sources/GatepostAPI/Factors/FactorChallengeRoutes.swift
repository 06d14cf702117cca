import GatepostFlows
import GatepostModel
import GatepostStore
import Hummingbird

/// `POST /v1/apps/{app}/sign-ins/factor/…`: the second step of a sign-in, for clients with screens of their own.
struct FactorChallengeRoutes: Sendable {
    let flow: FactorChallengeFlow

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .post("sign-ins/factor/verify", use: verify)
            .post("sign-ins/factor/totp", use: begin)
            .post("sign-ins/factor/totp/confirm", use: confirm)
            .post("sign-ins/factor/finish", use: finish)
    }

    struct HeldRequest: JSONBody {
        let challenge: FactorChallengeID
        let challengeToken: ChallengeToken

        enum CodingKeys: String, CodingKey, CaseIterable {
            case challenge
            case challengeToken = "challenge_token"
        }

        var held: FactorChallengeFlow.Held { .init(id: challenge, token: challengeToken.token) }
    }

    struct CodeRequest: JSONBody {
        let challenge: FactorChallengeID
        let challengeToken: ChallengeToken
        let code: String

        enum CodingKeys: String, CodingKey, CaseIterable {
            case challenge, code
            case challengeToken = "challenge_token"
        }

        var held: FactorChallengeFlow.Held { .init(id: challenge, token: challengeToken.token) }
    }

    @Sendable func verify(
        _ request: Request, context: AppRequestContext
    ) async throws -> EditedResponse<EmailSignInRoutes.CodeResponse> {
        let body: CodeRequest = try await request.json()
        return try answer(
            try await flow.verify(
                body.held, code: body.code, in: context.scope, from: context.origin(of: request)), context)
    }

    @Sendable func begin(_ request: Request, context: AppRequestContext) async throws -> EditedResponse<SeedAnswer> {
        let body: HeldRequest = try await request.json()
        let enrolment = try await flow.beginEnrolment(
            body.held, in: context.scope, from: context.origin(of: request))
        switch enrolment {
        case .done(let waiting): return EditedResponse(status: .created, response: SeedAnswer(waiting))
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    @Sendable func confirm(_ request: Request, context: AppRequestContext) async throws -> RecoveryCodesAnswer {
        let body: CodeRequest = try await request.json()
        let enrolment = try await flow.confirmEnrolment(
            body.held, code: body.code, in: context.scope, from: context.origin(of: request))
        switch enrolment {
        case .done(let codes): return RecoveryCodesAnswer(codes)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    @Sendable func finish(
        _ request: Request, context: AppRequestContext
    ) async throws -> EditedResponse<EmailSignInRoutes.CodeResponse> {
        let body: HeldRequest = try await request.json()
        return try answer(
            try await flow.finish(body.held, in: context.scope, from: context.origin(of: request)), context)
    }

    private func answer(
        _ outcome: FactorChallengeFlow.Outcome, _ context: AppRequestContext
    ) throws -> EditedResponse<EmailSignInRoutes.CodeResponse> {
        switch outcome {
        case .ended(let ended): try EmailSignInRoutes.answer(ended, in: context.scope)
        case .refused(let refusal): throw Problem(refusal)
        }
    }
}

/// An authenticator that waits for its first code; shown to whoever sets it up, and never again.
struct SeedAnswer: ResponseEncodable {
    let id: UserFactorID
    /// In base 32, to be typed.
    let secret: String
    /// The same as a link, which may be shown as a QR code.
    let uri: String
    let expiresAt: Instant

    enum CodingKeys: String, CodingKey {
        case id, secret, uri
        case expiresAt = "expires_at"
    }

    init(_ waiting: WaitingFactor) {
        (id, expiresAt) = (waiting.id, waiting.expiresAt)
        (secret, uri) = (waiting.secret.revealed, waiting.uri.revealed)
    }
}

/// Recovery codes, which are nowhere else.
struct RecoveryCodesAnswer: ResponseEncodable {
    let recoveryCodes: [String]

    enum CodingKeys: String, CodingKey {
        case recoveryCodes = "recovery_codes"
    }

    init(_ codes: [RecoveryCode]) {
        recoveryCodes = codes.map(\.shown.revealed)
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET /v1/apps/{app}/me/factors` and what a signed-in user does with them.
struct FactorRoutes: Sendable {
    let flow: FactorFlow

    var endpoints: RouteCollection<UserRequestContext> {
        RouteCollection(context: UserRequestContext.self)
            .get("me/factors", use: show)
            .post("me/factors/totp", use: begin)
            .post("me/factors/totp/confirm", use: confirm)
            .post("me/factors/totp/remove", use: remove)
            .post("me/factors/recovery-codes", use: replaceRecoveryCodes)
    }

    struct FactorsAnswer: ResponseEncodable {
        let totp: Authenticator?
        let recoveryCodesLeft: Int64
        let required: Bool

        struct Authenticator: Encodable {
            let id: UserFactorID
            let confirmedAt: Instant?
            let lastUsedAt: Instant?

            enum CodingKeys: String, CodingKey {
                case id
                case confirmedAt = "confirmed_at"
                case lastUsedAt = "last_used_at"
            }
        }

        enum CodingKeys: String, CodingKey {
            case totp, required
            case recoveryCodesLeft = "recovery_codes_left"
        }

        init(_ state: FactorFlow.State) {
            totp = state.factor.map {
                Authenticator(id: $0.id, confirmedAt: $0.confirmedAt, lastUsedAt: $0.lastUsedAt)
            }
            (recoveryCodesLeft, required) = (state.recoveryCodeCount, state.isRequired)
        }
    }

    @Sendable func show(_ request: Request, context: UserRequestContext) async throws -> FactorsAnswer {
        FactorsAnswer(try await flow.state(of: context.session.user.id, in: context.scope))
    }

    struct ProofRequest: JSONBody {
        let password: Secret?
        /// Of the authenticator that there is, or a recovery code.
        let code: String?

        enum CodingKeys: CodingKey, CaseIterable {
            case password, code
        }

        var proof: FactorFlow.Proof { .init(password: password, code: code) }
    }

    @Sendable func begin(
        _ request: Request, context: UserRequestContext
    ) async throws -> EditedResponse<SeedAnswer> {
        let body: ProofRequest = try await request.json()
        let outcome = try await flow.begin(
            for: Asking(context.session), body.proof, in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .done(let waiting): return EditedResponse(status: .created, response: SeedAnswer(waiting))
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    struct CodeRequest: JSONBody {
        let code: String

        enum CodingKeys: CodingKey, CaseIterable {
            case code
        }
    }

    @Sendable func confirm(_ request: Request, context: UserRequestContext) async throws -> RecoveryCodesAnswer {
        let body: CodeRequest = try await request.json()
        return try Self.answer(
            try await flow.confirm(
                for: Asking(context.session), code: body.code, in: context.scope, from: context.origin(of: request)))
    }

    @Sendable func remove(_ request: Request, context: UserRequestContext) async throws -> HTTPResponse.Status {
        let body: ProofRequest = try await request.json()
        let refusal = try await flow.remove(
            for: Asking(context.session), body.proof, in: context.scope, from: context.origin(of: request))
        if let refusal { throw Problem(refusal) }
        return .noContent
    }

    @Sendable func replaceRecoveryCodes(
        _ request: Request, context: UserRequestContext
    ) async throws -> RecoveryCodesAnswer {
        let body: ProofRequest = try await request.json()
        return try Self.answer(
            try await flow.replaceRecoveryCodes(
                for: Asking(context.session), body.proof, in: context.scope, from: context.origin(of: request)))
    }

    private static func answer(_ outcome: FactorFlow.Outcome<[RecoveryCode]>) throws -> RecoveryCodesAnswer {
        switch outcome {
        case .done(let codes): RecoveryCodesAnswer(codes)
        case .refused(let refusal): throw Problem(refusal)
        }
    }
}

/// `POST /v1/admin/apps/{app}/users/{user}/reset-factors`.
struct AdminFactorRoutes: Sendable {
    let flow: AdminFactorFlow

    func mount(_ ofApp: AdminGroup) {
        ofApp.on(.post, "/users/{user}/reset-factors", .usersWrite, use: reset)
    }

    @Sendable func reset(_ request: Request, context: AdminRequestContext) async throws -> HTTPResponse.Status {
        let (body, admin) = try await context.write(request, AdminUserRoutes.NoteRequest.self)
        let note = try AdminUserRoutes.checked(body.note)
        let outcome = try await flow.reset(
            of: try context.id("user"), note: note, for: admin, in: context.scope)
        switch outcome {
        case .done: return .noContent
        case .refused(let refusal): throw Problem(refusal)
        }
    }
}

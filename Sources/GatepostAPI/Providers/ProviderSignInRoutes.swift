import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `POST /v1/apps/{app}/provider-sign-ins`: signing in with a provider, for an app whose screens are its own.
struct ProviderSignInRoutes: Sendable {
    let flow: ProviderSignInFlow

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self).post("provider-sign-ins", use: start)
    }

    struct StartRequest: JSONBody {
        let provider: RequestedProvider
        let clientID: ClientID
        let redirectURI: String
        let codeChallenge: CodeChallenge
        let codeChallengeMethod: String
        let state: ClientState?
        let nonce: ClientState?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case provider
            case clientID = "client_id"
            case redirectURI = "redirect_uri"
            case codeChallenge = "code_challenge"
            case codeChallengeMethod = "code_challenge_method"
            case state, nonce
        }
    }

    @Sendable func start(
        _ request: Request, context: AppRequestContext
    ) async throws -> EditedResponse<ProviderStartAnswer> {
        let body: StartRequest = try await request.json()
        guard body.codeChallengeMethod == "S256" else { throw Problem(.invalidCodeChallenge) }
        let start = try await flow.start(
            body.provider.name,
            for: .init(id: body.clientID, redirectURI: body.redirectURI, challenge: body.codeChallenge),
            state: body.state?.text, nonce: body.nonce?.text, in: context.scope, from: context.origin(of: request))
        return try ProviderStartAnswer.answer(start)
    }
}

/// `POST /v1/apps/{app}/me/identity-links` and `…/me/identity-links/redeem`, for a signed-in user.
struct IdentityLinkRoutes: Sendable {
    let flow: ProviderSignInFlow

    var endpoints: RouteCollection<UserRequestContext> {
        RouteCollection(context: UserRequestContext.self)
            .post("me/identity-links", use: start)
            .post("me/identity-links/redeem", use: redeem)
    }

    struct StartRequest: JSONBody {
        let provider: RequestedProvider
        let redirectURI: String
        let state: ClientState?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case provider
            case redirectURI = "redirect_uri"
            case state
        }
    }

    @Sendable func start(
        _ request: Request, context: UserRequestContext
    ) async throws -> EditedResponse<ProviderStartAnswer> {
        let body: StartRequest = try await request.json()
        let start = try await flow.startLink(
            body.provider.name, for: Asking(context.session), client: context.session.clientID,
            backTo: body.redirectURI, state: body.state?.text, in: context.scope, from: context.origin(of: request))
        return try ProviderStartAnswer.answer(start)
    }

    struct RedeemRequest: JSONBody {
        let linkCode: String

        enum CodingKeys: String, CodingKey, CaseIterable {
            case linkCode = "link_code"
        }
    }

    struct RedeemAnswer: ResponseEncodable {
        let identity: UserIdentityID
    }

    @Sendable func redeem(_ request: Request, context: UserRequestContext) async throws -> RedeemAnswer {
        let body: RedeemRequest = try await request.json()
        guard let code = OneTimeToken(.identityLink, presented: body.linkCode) else { throw Problem(.invalidCode) }
        let outcome = try await flow.redeemLink(
            code, for: Asking(context.session), in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .linked(let identity): return RedeemAnswer(identity: identity)
        case .refused(let refusal): throw Problem(refusal)
        }
    }
}

/// Where an app sends the person's browser.
struct ProviderStartAnswer: ResponseEncodable {
    let location: String
    let expiresAt: Instant

    enum CodingKeys: String, CodingKey {
        case location
        case expiresAt = "expires_at"
    }

    /// The answer to beginning a way; throws the refusal.
    static func answer(_ start: ProviderSignInFlow.AppStart) throws -> EditedResponse<ProviderStartAnswer> {
        switch start {
        case .begun(let begun):
            EditedResponse(
                status: .created, response: ProviderStartAnswer(location: begun.location, expiresAt: begun.expiresAt))
        case .refused(let refusal): throw Problem(refusal)
        }
    }
}

/// The provider that a body names.
struct RequestedProvider: Decodable {
    let name: ProviderName

    init(from decoder: any Decoder) throws {
        guard let name = ProviderName(try decoder.singleValueContainer().decode(String.self)) else {
            throw Problem(.unknownProvider)
        }
        self.name = name
    }
}

/// What a client wants back as it came, within the bounds of the authorize endpoint.
struct ClientState: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
        guard text.utf8.count <= AuthorizationParameters.nonceBytesMax else {
            let longest = AuthorizationParameters.nonceBytesMax
            throw Problem(.invalidRequest, detail: "state and nonce have at most \(longest) bytes.")
        }
    }
}

public import GatepostClient
import HTTPTypes
public import Hummingbird
public import HummingbirdCore
import Logging

/// Lets only requests through that come with a good access token, and hands it on in their context.
///
/// The token is taken from `Authorization: Bearer` and from nowhere else. Without a good one the answer is 401 with
/// `WWW-Authenticate` (RFC 6750); where the keys cannot be had, 503 with `Retry-After`, since a person whose token is
/// good is not to be sent away to sign in again.
public struct AccessTokenMiddleware<Context: AccessTokenRequestContext>: RouterMiddleware {
    private let verifier: AccessTokenVerifier
    private let permissions: [String]
    private let acceptsThirdParties: Bool

    /// Protects what follows.
    ///
    /// - Parameters:
    ///   - verifier: The program's one verifier.
    ///   - permissions: What the user must be allowed in the app, all of it; the app's setting `roles_in_tokens` puts
    ///     permissions into tokens.
    ///   - acceptsThirdParties: Whether clients of third parties get through, where the verifier accepts them, too. Say
    ///     `true` only for routes that are meant for them and compare the token's `scopes` with what they do: without
    ///     that, a third party may do whatever its user may.
    public init(_ verifier: AccessTokenVerifier, permissions: [String] = [], acceptsThirdParties: Bool = false) {
        (self.verifier, self.permissions, self.acceptsThirdParties) = (verifier, permissions, acceptsThirdParties)
    }

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let token: AccessToken
        let realm = verifier.issuer.app
        do {
            token = try await verifier.verify(try Self.bearerToken(of: request, realm: realm))
            guard acceptsThirdParties || !token.isThirdParty else { throw TokenRefusal.thirdParty }
        } catch let refusal as TokenRefusal {
            throw BearerChallenge.invalidToken(refusal.description).error(realm: realm)
        } catch let error as KeysUnavailable {
            context.logger.error("\(error)")
            let seconds = max(1, error.retryAfter.components.seconds)
            throw HTTPError(
                .serviceUnavailable, headers: [.retryAfter: "\(seconds)", .cacheControl: "no-store"],
                message: "tokens cannot be verified now")
        }
        guard permissions.allSatisfy(token.permissions.contains) else {
            throw BearerChallenge.insufficient("a permission is missing", scope: permissions.joined(separator: " "))
                .error(realm: realm)
        }
        var context = context
        context.accessToken = token
        return try await next(request, context)
    }

    private static func bearerToken(of request: Request, realm: String) throws -> String {
        let fields = request.headers[values: .authorization]
        guard let field = fields.first else { throw BearerChallenge.missing.error(realm: realm) }
        guard fields.count == 1 else {
            throw BearerChallenge.invalidRequest("there are two Authorization headers").error(realm: realm)
        }
        let words = field.split(separator: " ", maxSplits: 1)
        guard let scheme = words.first, scheme.lowercased() == "bearer" else {
            throw BearerChallenge.missing.error(realm: realm)
        }
        guard words.count == 2, !words[1].contains(" ") else {
            throw BearerChallenge.invalidRequest("Bearer is followed by one token").error(realm: realm)
        }
        return String(words[1])
    }
}

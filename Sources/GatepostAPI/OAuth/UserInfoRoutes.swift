import FoundationEssentials
import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `GET` and `POST /apps/{app}/oauth/userinfo` (OpenID Connect Core, section 5.3).
struct UserInfoRoutes: Sendable {
    let flow: UserInfoFlow

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get("oauth/userinfo", use: userInfo)
            .post("oauth/userinfo", use: userInfo)
    }

    /// What the token's scope asks for; `sub` always.
    private struct Answer: Encodable {
        let sub: String
        var email: String?
        var emailVerified: Bool?
        var locale: String?
        var roles: [String]?
        var permissions: [String]?
        /// What the app's admins have noted, beside the names above: none of them can be one of these.
        var own: [String: CustomClaims.Value] = [:]

        enum CodingKeys: String, CodingKey {
            case sub, email, locale, roles, permissions
            case emailVerified = "email_verified"
        }

        private struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }

            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(sub, forKey: .sub)
            try container.encodeIfPresent(email, forKey: .email)
            try container.encodeIfPresent(emailVerified, forKey: .emailVerified)
            try container.encodeIfPresent(locale, forKey: .locale)
            try container.encodeIfPresent(roles, forKey: .roles)
            try container.encodeIfPresent(permissions, forKey: .permissions)
            var names = encoder.container(keyedBy: Name.self)
            for (name, value) in own { try names.encode(value, forKey: Name(stringValue: name)) }
        }

        init(_ claims: UserClaims, _ scope: GrantScope, subject: String) {
            sub = subject
            if scope.contains(.email) { (email, emailVerified) = (claims.email, claims.emailIsVerified) }
            guard scope.contains(.profile) else { return }
            locale = claims.locale
            let told = claims.told.roles(in: .userinfo)
            (roles, permissions) = (told?.roles, told?.permissions)
            own = claims.told.own(in: .userinfo).values
        }
    }

    @Sendable func userInfo(_ request: Request, context: AppRequestContext) async throws -> Response {
        guard let token = try await Self.token(of: request) else { throw OAuthError.missingToken }
        switch try await flow.claims(ofAccessToken: token, in: context.scope) {
        case .known(let claims, let scope, let subject):
            context.asking.isKnown(byOrigins: claims.webOrigins)
            let answer = Answer(claims, scope, subject: subject)
            return Response(
                status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: .init(byteBuffer: ByteBuffer(bytes: try JSONEncoder.answers.encode(answer))))
        case .invalidToken:
            throw OAuthError(
                .invalidToken, "The access token is malformed, expired, revoked or not of this app.",
                cause: .invalidAccessToken)
        case .insufficientScope:
            throw OAuthError(.insufficientScope, "The scope openid was not asked for.", cause: .permissionDenied)
        }
    }

    /// The token in the header or, by POST, in the form (RFC 6750, sections 2.1 and 2.2), never in the query.
    private static func token(of request: Request) async throws -> String? {
        guard request.uri.query == nil else {
            throw OAuthError(.invalidRequest, "A token does not travel in an address.", cause: .invalidRequest)
        }
        let fields = request.headers[values: .authorization]
        let inForm = request.method == .post ? try await formToken(of: request) : nil
        guard fields.count + (inForm == nil ? 0 : 1) < 2 else {
            throw OAuthError(.invalidRequest, "Send one token, in one way.", cause: .invalidRequest)
        }
        if let inForm { return inForm }
        guard let field = fields.first, field.prefix(7).lowercased() == "bearer " else { return nil }
        return String(field.dropFirst(7))
    }

    /// A POST may come without a form, with its token in the header.
    private static func formToken(of request: Request) async throws -> String? {
        guard request.headers[.contentType] != nil else { return nil }
        return try await request.form()["access_token"]
    }
}

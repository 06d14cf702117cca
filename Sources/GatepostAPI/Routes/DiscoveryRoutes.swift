import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// What others need to use an app as their issuer: its metadata and its public keys.
///
/// `GET /apps/{app}/.well-known/openid-configuration`, the same document at RFC 8414's address,
/// `GET /.well-known/oauth-authorization-server/apps/{app}`, and `GET /apps/{app}/jwks.json`.
struct DiscoveryRoutes: Sendable {
    /// How long a verifier may keep the keys, in seconds; a new key is published an hour before it signs.
    static let cacheSeconds = 300

    /// What ID tokens and userinfo may say.
    private static let claims = """
        ["iss","sub","aud","exp","iat","auth_time","nonce","acr","amr","at_hash","sid","email","email_verified",\
        "locale","roles","permissions"]
        """

    let keys: KeyCache
    let baseURL: String
    /// The languages of the pages.
    let languages: [String]

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get(".well-known/openid-configuration", use: metadata)
            .get("jwks.json", use: keySet)
    }

    /// The address under which RFC 8414, section 3.1, looks for the metadata: the issuer's path comes last.
    var serverMetadata: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .get(use: metadata)
    }

    /// Only what is true today; every value is an id or checked configuration, so the text is written as it is.
    @Sendable func metadata(_ request: Request, context: AppRequestContext) async throws -> Response {
        let issuer = TokenIssuer.issuer(of: context.scope.appID, baseURL: baseURL)
        let uiLocales = "[" + languages.map { "\"\($0)\"" }.joined(separator: ",") + "]"
        let methods = #""client_secret_basic","client_secret_post","private_key_jwt""#
        let algorithms = #"["ES256","RS256"]"#
        let json = """
            {"issuer":"\(issuer)","authorization_endpoint":"\(issuer)/oauth/authorize",\
            "token_endpoint":"\(issuer)/oauth/token","userinfo_endpoint":"\(issuer)/oauth/userinfo",\
            "end_session_endpoint":"\(issuer)/oauth/logout",\
            "pushed_authorization_request_endpoint":"\(issuer)/oauth/par",\
            "require_pushed_authorization_requests":false,\
            "revocation_endpoint":"\(issuer)/oauth/revoke","introspection_endpoint":"\(issuer)/oauth/introspect",\
            "jwks_uri":"\(issuer)/jwks.json","scopes_supported":["openid","email","profile"],\
            "grant_types_supported":["authorization_code","refresh_token","client_credentials"],\
            "response_types_supported":["code"],\
            "response_modes_supported":["query"],"authorization_response_iss_parameter_supported":true,\
            "prompt_values_supported":["none","login","consent","select_account"],"ui_locales_supported":\(uiLocales),\
            "request_parameter_supported":false,"request_uri_parameter_supported":false,\
            "acr_values_supported":["1fa","mfa"],"claims_parameter_supported":false,"claims_supported":\(Self.claims),\
            "code_challenge_methods_supported":["S256"],"subject_types_supported":["public","pairwise"],\
            "id_token_signing_alg_values_supported":["RS256","ES256"],\
            "token_endpoint_auth_methods_supported":["none",\(methods)],\
            "token_endpoint_auth_signing_alg_values_supported":\(algorithms),\
            "revocation_endpoint_auth_methods_supported":["none",\(methods)],\
            "revocation_endpoint_auth_signing_alg_values_supported":\(algorithms),\
            "introspection_endpoint_auth_methods_supported":[\(methods)],\
            "introspection_endpoint_auth_signing_alg_values_supported":\(algorithms)}
            """
        return Self.cacheable(ByteBuffer(string: json))
    }

    @Sendable func keySet(_ request: Request, context: AppRequestContext) async throws -> Response {
        Self.cacheable(ByteBuffer(bytes: try await keys.keys(of: context.scope).jwks))
    }

    private static func cacheable(_ json: ByteBuffer) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "application/json", .cacheControl: "public, max-age=\(cacheSeconds)"],
            body: .init(byteBuffer: json))
    }
}

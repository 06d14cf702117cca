import FoundationEssentials
import GatepostModel

/// What a provider says of itself (OpenID Connect Discovery 1.0, section 3), as far as it is used.
package struct ProviderMetadata: Sendable, Equatable {
    let authorizationEndpoint: String
    let tokenEndpoint: String
    /// Nil for a provider without ID tokens.
    let jwksURL: String?
    /// Whether the client's secret stands in the form; else in the header (RFC 6749, section 2.3.1).
    let takesSecretInForm: Bool
    /// Whether an answer without `iss` is to be refused (RFC 9207, section 2.4).
    let promisesIssuer: Bool

    private struct Document: Decodable {
        let issuer: String
        let authorization_endpoint: String
        let token_endpoint: String
        let jwks_uri: String
        let token_endpoint_auth_methods_supported: [String]?
        let authorization_response_iss_parameter_supported: Bool?
    }

    /// Where an issuer's document is.
    static func url(of issuer: String) -> String {
        (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/.well-known/openid-configuration"
    }

    /// Reads an issuer's document, which must name this very issuer and send nobody anywhere that is not fit.
    static func read(
        _ bytes: [UInt8], of issuer: String, allowsPrivate: Bool
    ) -> Result<ProviderMetadata, ProviderFault> {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)) else {
            return .failure(.malformed("discovery"))
        }
        guard Array(document.issuer.utf8) == Array(issuer.utf8) else { return .failure(.issuerMismatch) }
        let urls = [document.authorization_endpoint, document.token_endpoint, document.jwks_uri]
        guard urls.allSatisfy({ ProviderURL.isFit($0, allowsPrivate: allowsPrivate) }) else {
            return .failure(.malformed("discovery"))
        }
        // Basic is what a document means that says nothing.
        let methods = document.token_endpoint_auth_methods_supported ?? ["client_secret_basic"]
        return .success(
            ProviderMetadata(
                authorizationEndpoint: document.authorization_endpoint, tokenEndpoint: document.token_endpoint,
                jwksURL: document.jwks_uri, takesSecretInForm: !methods.contains("client_secret_basic"),
                promisesIssuer: document.authorization_response_iss_parameter_supported ?? false))
    }

    /// GitHub publishes no document: its addresses are those of its manual, and of an installation of one's own.
    static func gitHub(_ issuer: String) -> ProviderMetadata {
        ProviderMetadata(
            authorizationEndpoint: "\(issuer)/login/oauth/authorize",
            tokenEndpoint: "\(issuer)/login/oauth/access_token", jwksURL: nil, takesSecretInForm: true,
            promisesIssuer: false)
    }
}

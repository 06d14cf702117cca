import FoundationEssentials
package import GatepostModel
import GatepostStore

/// Who a provider says somebody is.
struct ProviderProfile: Sendable, Equatable {
    let subject: String
    /// Nil where the provider gave none, or none that mail can be sent to.
    let email: EmailAddress?
    let emailIsVerified: Bool
}

/// Speaks with one provider for one sign-in: redeems its code, and reads who it is about.
package struct ProviderClient: Sendable {
    let port: ProviderPort
    let directory: ProviderDirectory
    let keys: KeyRing

    /// Wires the client.
    package init(port: ProviderPort, directory: ProviderDirectory, keys: KeyRing) {
        (self.port, self.directory, self.keys) = (port, directory, keys)
    }

    /// What one sign-in asked, as its answer must fit.
    struct Asked: Sendable {
        let redirectURI: String
        let secrets: ProviderSignInSecrets
        let now: Instant
    }

    /// What redeeming a code gave.
    struct Redeemed: Sendable {
        let profile: ProviderProfile
        /// The provider's answer with its tokens, as it came.
        let tokens: [UInt8]
    }

    /// The tokens in a provider's answer (RFC 6749, section 5.1).
    private struct TokenAnswer: Decodable {
        let access_token: String?
        let id_token: String?
        let token_type: String?
    }

    /// What a provider says of itself.
    func metadata(of provider: IdentityProviderRecord) async -> Result<ProviderMetadata, ProviderFault> {
        if provider.kind == .github { return .success(.gitHub(provider.issuer)) }
        return await directory.metadata(of: provider.issuer)
    }

    /// Where the browser is sent, with everything that binds its answer.
    func authorizationURL(
        of provider: IdentityProviderRecord, _ metadata: ProviderMetadata, state: OneTimeToken, _ asked: Asked
    ) -> String {
        var scopes = provider.scopes
        if provider.kind != .github, !scopes.contains("openid") { scopes.insert("openid", at: 0) }
        var parameters: [(name: String, value: String?)] = [
            ("response_type", "code"), ("client_id", provider.clientID), ("redirect_uri", asked.redirectURI),
            ("scope", scopes.joined(separator: " ")), ("state", state.secret.revealed),
            ("code_challenge", asked.secrets.challenge), ("code_challenge_method", "S256"),
        ]
        if provider.kind != .github { parameters.append(("nonce", asked.secrets.nonce)) }
        // Apple answers by a form of its own site as soon as it is asked for an address.
        if provider.kind == .apple { parameters.append(("response_mode", "form_post")) }
        let pairs = parameters.compactMap { pair in pair.value.map { "\(pair.name)=\(PercentEncoding.text($0))" } }
        let joint = metadata.authorizationEndpoint.contains("?") ? "&" : "?"
        return metadata.authorizationEndpoint + joint + pairs.joined(separator: "&")
    }

    /// Redeems a provider's code, and says whom it is about.
    func redeem(
        _ code: String, at provider: IdentityProviderRecord, in app: AppID, _ metadata: ProviderMetadata,
        _ asked: Asked
    ) async -> Result<Redeemed, ProviderFault> {
        guard let secret = secret(of: provider, in: app, at: asked.now) else { return .failure(.unusableSettings) }
        var form: [(name: String, value: String)] = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", asked.redirectURI),
            ("code_verifier", asked.secrets.verifier.revealed),
        ]
        var headers: [(name: String, value: String)] = []
        if metadata.takesSecretInForm || provider.kind == .apple {
            form += [("client_id", provider.clientID), ("client_secret", secret.revealed)]
        } else {
            // Both are form-encoded before they are joined (RFC 6749, section 2.3.1).
            let pair = PercentEncoding.text(provider.clientID) + ":" + PercentEncoding.text(secret.revealed)
            headers.append(("Authorization", "Basic \(Data(pair.utf8).base64EncodedString())"))
        }
        let bytes: [UInt8]
        switch await port.body(of: .post(metadata.tokenEndpoint, form: form, headers: headers)) {
        case .success(let body): bytes = body
        case .failure(let fault): return .failure(fault)
        }
        guard let answer = try? JSONDecoder().decode(TokenAnswer.self, from: Data(bytes)) else {
            return .failure(.malformed("token_answer"))
        }
        let profile =
            provider.kind == .github
            ? await GitHubAPI(port: port, issuer: provider.issuer).profile(answer.access_token)
            : await self.profile(answer.id_token, provider, metadata, asked)
        return profile.map { Redeemed(profile: $0, tokens: bytes) }
    }

    /// Who an ID token is about.
    private func profile(
        _ token: String?, _ provider: IdentityProviderRecord, _ metadata: ProviderMetadata, _ asked: Asked
    ) async -> Result<ProviderProfile, ProviderFault> {
        guard let token, let url = metadata.jwksURL else { return .failure(.malformed("token_answer")) }
        let header: IDTokenCheck.Header
        switch IDTokenCheck.header(of: token) {
        case .success(let read): header = read
        case .failure(let flaw): return .failure(.token(flaw))
        }
        let published: ProviderKeys
        switch await directory.keys(at: url, for: header.keyID) {
        case .success(let known): published = known
        case .failure(let fault): return .failure(fault)
        }
        let check = IDTokenCheck(
            issuer: provider.issuer, clientID: provider.clientID, nonce: asked.secrets.nonce, now: asked.now)
        return await check.check(token, header, keys: published).mapError(ProviderFault.token).map { claims in
            ProviderProfile(
                subject: claims.subject, email: claims.email.flatMap { EmailAddress($0) },
                emailIsVerified: claims.emailIsVerified)
        }
    }

    /// The client's secret: as it was given, or made from the key that was.
    private func secret(of provider: IdentityProviderRecord, in app: AppID, at now: Instant) -> Secret? {
        let stored = try? ProviderSecretSeal.open(provider.secretSealed, of: provider.id, in: app, keys: keys)
        guard provider.kind == .apple else { return stored }
        guard let stored, let keyID = provider.keyID, let teamID = provider.teamID else { return nil }
        return AppleClientSecret.make(
            key: stored, keyID: keyID, teamID: teamID, clientID: provider.clientID, audience: provider.issuer, at: now)
    }
}

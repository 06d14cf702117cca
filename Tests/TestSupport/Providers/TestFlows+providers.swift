package import GatepostDelivery
package import GatepostFlows
package import GatepostModel
package import GatepostStore

extension ProviderPort {
    /// The way out as the program has it, but that loopback may be dialled, without TLS.
    ///
    /// With more patience: a machine that runs a suite may take longer than a person would wait.
    package static func loopback(deadline: Duration = .seconds(20)) throws -> ProviderPort {
        through(try TestApp.loopbackTransport(), deadline: deadline)
    }

    /// The way out as the program has it in production: public addresses only.
    package static func publicOnly() throws -> ProviderPort {
        through(try HTTPTransport(guard: AddressGuard(), allowsPlainHTTP: true))
    }

    /// The way through a transport; the program's own wiring is the same.
    package static func through(
        _ transport: HTTPTransport, deadline: Duration = ProviderRequest.deadline
    ) -> ProviderPort {
        ProviderPort { request in
            let answer = await transport.call(
                request.method, request.url, headers: request.headers, body: request.body,
                bytesMax: ProviderRequest.answerBytesMax, deadline: deadline)
            switch answer {
            case .answered(let status, let body): return .answered(status: status, body: body)
            case .failed(let why): return .failed(why)
            }
        }
    }
}

extension TestApp {
    /// Adds an identity provider as the admin flow does.
    ///
    /// - Parameters:
    ///   - name: Its name in addresses.
    ///   - kind: What it is.
    ///   - issuer: What its tokens must say.
    ///   - secret: The client's secret.
    ///   - change: What is to be otherwise than by default.
    /// - Returns: The provider.
    /// - Throws: What Postgres says.
    @discardableResult
    package func addProvider(
        _ name: String = "upstream", kind: ProviderKind = .openID, issuer: String,
        secret: String = TestProvider.secret, _ change: (inout NewIdentityProvider) -> Void = { _ in }
    ) async throws -> IdentityProviderID {
        let id: IdentityProviderID = newID()
        guard let name = ProviderName(name), let issuer = ProviderIssuer(issuer, of: kind, allowsPrivate: true) else {
            throw TestAppMissing()
        }
        var new = NewIdentityProvider(
            id: id, name: name, kind: kind, issuer: issuer, clientID: TestProvider.clientID,
            secretSealed: try ProviderSecretSeal.seal(Secret(secret), of: id, in: self.id, keys: keys))
        change(&new)
        try await database.batch(in: scope) { [new] in $0.insertIdentityProvider(new, at: clock.now) }
        return id
    }

    /// Gives a user an identity with an issuer, as a sign-in does.
    @discardableResult
    package func addIdentity(
        to user: String, _ subject: String = "1", issuer: String = "https://example.com"
    ) async throws -> UserIdentityID {
        let id: UserIdentityID = newID()
        guard let user = UserID(user), let email = EmailAddress("\(subject)@example.com") else {
            throw TestAppMissing()
        }
        let proven = ProvenIdentity(id: id, subject: subject, email: email, emailIsVerified: true, tokensSealed: nil)
        try await database.batch(in: scope) { $0.insertIdentity(proven, issuer: issuer, ofNew: user, at: clock.now) }
        return id
    }

    /// A request that a client sent a browser with, and the browser's token.
    package func waitingRequest(
        browser: OneTimeToken? = nil
    ) async throws -> (id: AuthorizationRequestID, browser: OneTimeToken) {
        let holder = browser ?? OneTimeToken.make(.browser, random: random)
        var new = NewAuthorizationRequest(
            id: newID(), clientID: client, redirectURI: TestFlows.redirectURI, challenge: try TestFlows.challenge(),
            holder: holder, at: clock.now)
        new.state = "the client's state"
        try await database.batch(in: scope) { [new] in $0.insertAuthorizationRequest(new) }
        return (new.id, holder)
    }
}

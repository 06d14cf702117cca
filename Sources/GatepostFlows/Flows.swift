/// The flows that HTTP offers, put together once; a route takes the one it needs.
package struct Flows: Sendable {
    package let signUp: SignUpFlow
    package let verification: VerificationFlow
    package let signIn: PasswordSignInFlow
    package let authorize: AuthorizeFlow
    package let consent: ConsentFlow
    /// For every other way to prove who somebody is.
    package let ending: SignInEnding
    package let visit: PageVisitFlow
    package let devices: KnownDevices
    package let emailSignIn: EmailSignInFlow
    /// The second step of every sign-in of which one is asked.
    package let factorChallenge: FactorChallengeFlow
    package let factors: FactorFlow
    package let passwordReset: PasswordResetFlow
    package let passwordChange: PasswordChangeFlow
    package let emailChange: EmailChangeFlow
    package let account: AccountFlow
    package let clientAuthentication: ClientAuthenticationFlow
    package let codeExchange: CodeExchangeFlow
    package let refresh: RefreshFlow
    package let clientToken: ClientTokenFlow
    package let pushedRequest: PushedRequestFlow
    package let logout: LogoutFlow
    package let statedAddress: StatedAddressFlow
    package let userInfo: UserInfoFlow
    package let revocation: RevocationFlow
    package let introspection: IntrospectionFlow
    package let signOut: SignOutFlow
    package let session: SessionFlow
    package let ownSessions: OwnSessionsFlow
    package let refusal: RefusalFlow
    package let providerSignIn: ProviderSignInFlow
    package let identities: IdentityFlow
    package let admin: AdminFlows

    /// Puts the flows together.
    package init(of parts: FlowParts) {
        let (database, clock, random) = (parts.database, parts.clock, parts.random)
        let issuer = TokenIssuer(cache: parts.cache, random: random, baseURL: parts.baseURL)
        ending = SignInEnding(database: database, random: random, baseURL: parts.baseURL)
        signUp = SignUpFlow(
            database: database, clock: clock, random: random, keys: parts.keys, hasher: parts.hasher,
            rules: parts.rules, signal: parts.signal)
        verification = VerificationFlow(
            database: database, clock: clock, random: random, keys: parts.keys, hasher: parts.hasher,
            rules: parts.rules, signal: parts.signal, ending: ending)
        signIn = PasswordSignInFlow(
            database: database, clock: clock, random: random, keys: parts.keys, hasher: parts.hasher, ending: ending)
        let verifier = TokenVerifier(cache: parts.cache, baseURL: parts.baseURL)
        authorize = AuthorizeFlow(
            database: database, clock: clock, random: random, ending: ending, verifier: verifier)
        consent = ConsentFlow(database: database, clock: clock, random: random, ending: ending)
        visit = PageVisitFlow(database: database, clock: clock)
        devices = KnownDevices(clock: clock, random: random, keys: parts.keys)
        let mail = MailFlowParts(of: parts)
        emailSignIn = EmailSignInFlow(parts: mail, ending: ending)
        factorChallenge = FactorChallengeFlow(mail: mail, ending: ending)
        factors = FactorFlow(mail: mail, hasher: parts.hasher)
        passwordReset = PasswordResetFlow(parts: mail, hasher: parts.hasher, rules: parts.rules)
        passwordChange = PasswordChangeFlow(parts: mail, hasher: parts.hasher, rules: parts.rules)
        emailChange = EmailChangeFlow(parts: mail, hasher: parts.hasher, rules: parts.rules)
        account = AccountFlow(database: database, clock: clock, random: random)
        clientAuthentication = ClientAuthenticationFlow(
            database: database, clock: clock, random: random, baseURL: parts.baseURL)
        codeExchange = CodeExchangeFlow(database: database, clock: clock, random: random, issuer: issuer)
        refresh = RefreshFlow(database: database, clock: clock, random: random, issuer: issuer)
        clientToken = ClientTokenFlow(database: database, clock: clock, random: random, issuer: issuer)
        pushedRequest = PushedRequestFlow(database: database, clock: clock, random: random)
        signOut = SignOutFlow(database: database, clock: clock, random: random)
        session = SessionFlow(database: database, clock: clock, verifier: verifier)
        logout = LogoutFlow(database: database, clock: clock, verifier: verifier, account: account)
        statedAddress = StatedAddressFlow(database: database, clock: clock, verifier: verifier)
        userInfo = UserInfoFlow(database: database, clock: clock, verifier: verifier)
        revocation = RevocationFlow(database: database, clock: clock, random: random, verifier: verifier)
        introspection = IntrospectionFlow(database: database, clock: clock, verifier: verifier)
        ownSessions = OwnSessionsFlow(database: database, clock: clock, random: random)
        refusal = RefusalFlow(database: database, clock: clock, random: random)
        admin = AdminFlows(of: parts, session: session)
        let directory = ProviderDirectory(
            port: parts.providers, clock: clock, allowsPrivate: parts.allowsPrivateDestinations)
        providerSignIn = ProviderSignInFlow(
            database: database, clock: clock, random: random, keys: parts.keys,
            client: ProviderClient(port: parts.providers, directory: directory, keys: parts.keys), ending: ending,
            baseURL: parts.baseURL)
        identities = IdentityFlow(database: database, clock: clock, random: random)
    }
}

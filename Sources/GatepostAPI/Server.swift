package import GatepostFlows
package import GatepostModel
package import GatepostStore
import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle

/// The HTTP server: decodes a request, calls one flow, encodes what came of it.
///
/// A service: it runs until it is told to stop, then takes no more connections and finishes what it has begun.
package struct APIServer: Service {
    private let application: Application<RouterResponder<RootRequestContext>>

    /// Every route, `GET /health/live`, sorted; HEAD goes with GET.
    package let routes: [String]
    /// The routes of the admin API with their permissions.
    package let adminRoutes: [AdminRoute]

    /// Puts the server together; nothing is opened before `run`.
    ///
    /// - Parameters:
    ///   - database: Where apps are looked up.
    ///   - flows: What the routes call.
    ///   - keys: The apps' published keys.
    ///   - baseURL: Where Gatepost is reached, `https://auth.example.com`, without a path or a slash at the end. No
    ///     request changes what links and issuers begin with.
    ///   - host: The address to listen on.
    ///   - port: The port to listen on; 0 takes any.
    ///   - trustedProxies: Who is believed in whom they heard from; nobody unless named.
    ///   - forwardingField: The field in which they say it.
    ///   - devMails: The development mail catcher; without it, its pages do not exist.
    ///   - observation: Where requests are counted, and who knows whether the process is ready.
    ///   - logger: Where a line for each request goes, and what went wrong inside.
    ///   - onListening: Told the bound port once connections are accepted.
    /// - Throws: `Pages.Unreadable` or a template's error: the program was packaged wrongly.
    package init(
        database: Database, flows: Flows, keys: KeyCache, baseURL: String, host: String, port: Int,
        trustedProxies: [AddressRange] = [], forwardingField: ForwardingField = .xForwardedFor,
        devMails: DevMails? = nil, observation: Observation, logger: Logger,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws {
        let pages = try Pages(random: observation.random)
        let router = Router(context: RootRequestContext.self, options: .autoGenerateHeadEndpoints)
        let resolver = ClientResolver(trustedProxies: trustedProxies, field: forwardingField)
        router.add(middleware: ClientMiddleware(resolver: resolver))
        router.add(middleware: AccessLog(logger: logger, observation: observation))
        router.add(middleware: AnswerHeaders(isHTTPS: baseURL.hasPrefix("https://")))
        router.add(middleware: CrossOrigin(database: database))
        router.add(middleware: ProblemReporter(form: .document, logger: logger))
        router.add(middleware: ClientGuard(field: forwardingField))
        router.addRoutes(HealthRoutes(readiness: observation.readiness).endpoints)
        router.addRoutes(try OpenAPIRoutes().endpoints)
        if let devMails { router.addRoutes(DevMailRoutes(mails: devMails, pages: pages).endpoints) }
        let mount = AppMount(
            router: router, database: database, refusal: flows.refusal, pages: pages, ownOrigin: baseURL,
            logger: logger)
        Self.addAPI(mount, flows, keys.ring, baseURL: baseURL)
        adminRoutes = Self.addAdmin(mount, flows, keys.ring, baseURL: baseURL)
        Self.addIssuer(mount, flows, keys, baseURL: baseURL)
        Self.addPages(mount, flows, random: observation.random)
        routes = router.routes.map { "\($0.method.rawValue) \($0.path)" }.sorted()
        observation.meter.prepare(router.routes.map { ($0.method, $0.path.description) })
        router.refuseOtherMethods()
        application = Application(
            router: router, server: .http1(configuration: Self.connection),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port), backlog: ServerLimits.backlog,
                availableConnectionsDelegate: .maximum(ServerLimits.connectionsMax, logger: logger)),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) },
            logger: logger)
    }

    /// Serves until it is cancelled or told to shut down gracefully.
    package func run() async throws {
        try await application.run()
    }

    private static func addAPI(_ mount: AppMount, _ flows: Flows, _ keys: KeyRing, baseURL: String) {
        let group = mount.group("/v1/apps/{app}").add(middleware: StatedAddress(flow: flows.statedAddress))
        group.addRoutes(SignUpRoutes(signUp: flows.signUp, verification: flows.verification).endpoints)
        group.addRoutes(SignInRoutes(flow: flows.signIn, devices: flows.devices, baseURL: baseURL).endpoints)
        group.addRoutes(EmailSignInRoutes(flow: flows.emailSignIn).endpoints)
        group.addRoutes(FactorChallengeRoutes(flow: flows.factorChallenge).endpoints)
        group.addRoutes(PasswordResetRoutes(flow: flows.passwordReset).endpoints)
        group.addRoutes(ProviderSignInRoutes(flow: flows.providerSignIn).endpoints)
        group.group()
            .add(middleware: SessionResolver(flow: flows.session))
            .group(context: UserRequestContext.self)
            .addRoutes(SessionRoutes(signOut: flows.signOut, sessions: flows.ownSessions, keys: keys).endpoints)
            .addRoutes(ConsentRoutes(flow: flows.consent, keys: keys).endpoints)
            .addRoutes(FactorRoutes(flow: flows.factors).endpoints)
            .addRoutes(IdentityRoutes(flow: flows.identities).endpoints)
            .addRoutes(IdentityLinkRoutes(flow: flows.providerSignIn).endpoints)
            .addRoutes(
                AccountChangeRoutes(passwordChange: flows.passwordChange, emailChange: flows.emailChange).endpoints)
    }

    private static func addAdmin(
        _ mount: AppMount, _ flows: Flows, _ keys: KeyRing, baseURL: String
    ) -> [AdminRoute] {
        let (admin, table) = (flows.admin, AdminRouteTable())
        let global = mount.adminGroup("/v1/admin", access: admin.access, table: table)
        let ofApp = mount.adminGroup("/v1/admin/apps/{app}", access: admin.access, table: table)
        AdminAppRoutes(flow: admin.apps, database: mount.database, keys: keys).mount(global: global, ofApp: ofApp)
        AdminClientRoutes(flow: admin.clients, keys: keys).mount(ofApp)
        AdminUserRoutes(flow: admin.users, keys: keys).mount(ofApp)
        AdminFactorRoutes(flow: admin.factors).mount(ofApp)
        AdminSessionRoutes(flow: admin.sessions, keys: keys).mount(ofApp)
        AdminRoleRoutes(flow: admin.roles, users: admin.users, keys: keys).mount(ofApp)
        AdminWebhookRoutes(flow: admin.webhooks, keys: keys).mount(ofApp)
        AdminProviderRoutes(flow: admin.providers, keys: keys, baseURL: baseURL).mount(ofApp)
        AuditEventRoutes(flow: admin.audit, keys: keys).mount(ofApp)
        AuditExportRoutes(flow: admin.audit, keys: keys).mount(ofApp)
        AdminDeliveryRoutes(flow: admin.deliveries, keys: keys).mount(ofApp)
        CapturedMailRoutes(flow: admin.capturedMails, keys: keys).mount(ofApp)
        AdminGrantRoutes(flow: admin.grants, invitations: admin.invitations, keys: keys).mount(global)
        AdminKeyRoutes(flow: admin.keys, keys: keys).mount(global)
        return table.routes
    }

    private static func addIssuer(_ mount: AppMount, _ flows: Flows, _ keys: KeyCache, baseURL: String) {
        let discovery = DiscoveryRoutes(
            keys: keys, baseURL: baseURL, languages: mount.pages.texts.languages.supported)
        mount.group("/apps/{app}").addRoutes(discovery.endpoints)
        mount.group("/.well-known/oauth-authorization-server/apps/{app}").addRoutes(discovery.serverMetadata)
        let clients = ClientAuthentication(flow: flows.clientAuthentication)
        mount.group("/apps/{app}", OAuthErrors())
            .addRoutes(
                TokenRoutes(
                    clients: clients, codeExchange: flows.codeExchange, refresh: flows.refresh,
                    clientToken: flows.clientToken
                ).endpoints
            )
            .addRoutes(
                TokenStateRoutes(
                    clients: clients, revocation: flows.revocation, introspection: flows.introspection,
                    baseURL: baseURL
                ).endpoints
            )
            .addRoutes(PushedRequestRoutes(clients: clients, flow: flows.pushedRequest).endpoints)
            .addRoutes(UserInfoRoutes(flow: flows.userInfo).endpoints)
    }

    /// What a connection may take up, and how long it may say nothing; the operations listener has the same.
    static var connection: HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            idleTimeout: .seconds(ServerLimits.idleTimeoutSeconds),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: ServerLimits.headerFieldBytesMax, maxHeaderListSize: ServerLimits.headerBytesMax,
                maxHeaderFieldCount: ServerLimits.headerFieldsMax))
    }
}

import ArgumentParser
import GatepostAPI
import GatepostDelivery
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostTelemetry
import GatepostWorkers
import Logging
import NIOCore
import NIOPosix
import Passwords
import Postgres
import ServiceLifecycle

/// Everything that the program consists of, put together by hand, in one place.
struct Wiring: Sendable {
    let configuration: Configuration
    let logger: Logger
    let pool: PostgresPool
    let database: Database
    let clock: DatabaseClock
    let metrics: MetricRegistry
    let readiness: Readiness
    let random = SystemRandom()
    /// Wakes the worker of this process, where API and worker share one.
    let signal = OutboxSignal()

    /// Connects, takes the database's time, and refuses a login role that could see past row-level security.
    static func open(_ configuration: Configuration) async throws -> Wiring {
        let logger = Logger.gatepost(configuration.logFormat, level: .init(rawValue: configuration.logLevel) ?? .info)
        let metrics = MetricRegistry()
        var settings = PostgresConfiguration(connectionString: configuration.databaseURL.revealed)
        settings.sharedConnectionsMax = configuration.databaseConnections
        settings.exclusiveConnectionsMax = configuration.databaseExclusiveConnections
        settings.usesPreparedStatements = configuration.usesPreparedStatements
        settings.onWait = metrics.databaseWaits()
        let pool = PostgresPool(settings)
        do {
            let database = Database(pool: pool)
            try await database.checkLogin()
            let clock = try await DatabaseClock(pool: pool)
            let readiness = try Readiness(
                database: Database(pool: pool, deadline: Readiness.deadline), clock: clock)
            return Wiring(
                configuration: configuration, logger: logger, pool: pool, database: database, clock: clock,
                metrics: metrics, readiness: readiness)
        } catch {
            await pool.shutdown()
            throw error
        }
    }

    /// Runs an operator's command with what it needs, and closes the connections behind it.
    static func withOperator(
        _ scope: ConfigurationScope, _ body: (Wiring) async throws -> Void
    ) async throws {
        let wiring = try await open(Configuration(environment: environment(), for: scope))
        do {
            try await body(wiring)
            await wiring.pool.shutdown()
        } catch {
            await wiring.pool.shutdown()
            throw error
        }
    }

    /// The key ring of the configuration; throws what is wrong with it, never the keys.
    func keyRing() throws -> KeyRing {
        do {
            return try KeyRing(configuration.keyEncryptionKeys)
        } catch {
            throw UnusableSetting(.keyEncryptionKeys, "cannot be used: \(error)")
        }
    }

    /// What creates apps and clients.
    func appFlow() throws -> AppFlow {
        AppFlow(database: database, clock: clock, random: random, keys: try keyRing())
    }

    /// An app that an operator names; throws a usage error for one that does not exist.
    func scope(of app: String) async throws -> AppScope {
        guard let id = AppID(app) else { throw ValidationError("\(app) is not the id of an app (app_…)") }
        guard let scope = try await database.scope(of: id) else { throw ValidationError("there is no app \(id)") }
        return scope
    }

    /// What answers HTTP.
    ///
    /// - Parameters:
    ///   - hasher: Whose threads compute the hashes; the caller stops it.
    ///   - devMails: The mails that a page shows, in dev only.
    ///   - onListening: Called with the port once it is bound.
    /// - Returns: The server, not yet started.
    /// - Throws: `UnusableSetting` for a key list that cannot be read.
    func server(
        hasher: PasswordHasher, devMails: DevMails? = nil, onListening: @escaping @Sendable (Int) async -> Void
    ) throws -> APIServer {
        let cache = KeyCache(database: database, ring: try keyRing(), clock: clock)
        let flows = Flows(
            of: FlowParts(
                database: database, clock: clock, random: random, cache: cache, baseURL: configuration.baseURL,
                hasher: hasher, allowsPrivateDestinations: !configuration.privateDestinations.isEmpty,
                signal: signal, providers: try providerPort(), passwordRange: try passwordRangePort()))
        return try APIServer(
            database: database, flows: flows, keys: cache, baseURL: configuration.baseURL,
            host: configuration.listen.host, port: configuration.listen.port,
            trustedProxies: configuration.trustedProxies, forwardingField: configuration.trustedProxyField,
            devMails: devMails,
            observation: Observation(metrics: metrics, readiness: readiness, random: random), logger: logger,
            onListening: onListening)
    }

    /// What hands mails to the relay; the caller stops it.
    func mailTransport() throws -> MailTransport {
        let login = configuration.smtpUsername.map { name in
            (name: name, password: configuration.smtpPassword ?? Secret(""))
        }
        let host = configuration.baseURL.split(separator: "/").dropFirst().first?.prefix { $0 != ":" }
        let relay = MailRelay(
            url: configuration.smtpURL, login: login, requiresTLS: configuration.smtpRequiresTLS,
            caBundlePath: configuration.caBundlePath, ehloName: host.map(String.init) ?? "localhost")
        guard let relay else { throw UnusableSetting(.smtpURL, "must be smtp://HOST:PORT or smtps://HOST:PORT") }
        return MailTransport(relay: relay, connectionsMax: configuration.smtpConnections)
    }

    /// What delivers and what runs jobs.
    func workers(transport: MailTransport) throws -> [any Service] {
        guard let from = EmailAddress(configuration.mailFrom) else {
            throw UnusableSetting(.mailFrom, "is not an address that mail can come from")
        }
        let keys = try keyRing()
        let post = MailPost(
            transport: transport, capture: MailCapture(database: database, clock: clock, keys: keys),
            templates: try MailTemplates(), from: from, baseURL: configuration.baseURL)
        let rotation = SigningKeyFlow(clock: clock, random: random, keys: keys)
        let http = try httpTransport()
        let worker = OutboxWorker(
            database: database, clock: clock, random: random,
            handlers: [
                VerificationMail.kind: VerificationMailHandler(
                    database: database, clock: clock, keys: keys, post: post),
                AdminInvitationMail.kind: AdminInvitationMailHandler(
                    database: database, clock: clock, keys: keys, post: post),
                AccountExistsMail.kind: AccountExistsMailHandler(database: database, post: post),
                SigningKeyRotation.kind: SigningKeyRotateHandler(database: database, clock: clock, flow: rotation),
            ].merging(webhookHandlers(transport: http, keys: keys)) { $1 }
                .merging(auditHandlers(keys: keys, post: post)) { $1 }
                .merging(FlowMailHandler.all(database: database, clock: clock, keys: keys, post: post)) { $1 }
                .merging(UserNoticeHandler.all(database: database, post: post)) { $1 }
                .merging(partitionHandlers()) { $1 },
            settings: WorkerSettings(
                deliverySlots: configuration.outboxSlots, lease: .seconds(configuration.outboxLeaseSeconds),
                deliveryDeadline: .seconds(configuration.smtpDeadlineSeconds),
                idlePause: .milliseconds(configuration.outboxPollMilliseconds)),
            signal: signal, metrics: WorkerMetrics(metrics), logger: logger)
        metrics.add { worker.readings }
        let jobs = JobRunner(
            database: database, catalog: try JobCatalog(folder: configuration.jobsFolder), clock: clock,
            logger: logger)
        return [HTTPTransportService(transport: http), worker, jobs]
    }
}

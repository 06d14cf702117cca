import ArgumentParser
import GatepostAPI
import GatepostDelivery
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import GatepostWorkers
import Logging
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
    let random = SystemRandom()

    /// Connects, takes the database's time, and refuses a login role that could see past row-level security.
    static func open(_ configuration: Configuration) async throws -> Wiring {
        var logger = Logger(label: "gatepost")
        logger.logLevel = Logger.Level(rawValue: configuration.logLevel) ?? .info
        var settings = PostgresConfiguration(connectionString: configuration.databaseURL.revealed)
        settings.sharedConnectionsMax = configuration.databaseConnections
        settings.exclusiveConnectionsMax = configuration.databaseExclusiveConnections
        settings.usesPreparedStatements = configuration.usesPreparedStatements
        let pool = PostgresPool(settings)
        do {
            let database = Database(pool: pool)
            try await database.checkLogin()
            return Wiring(
                configuration: configuration, logger: logger, pool: pool, database: database,
                clock: try await DatabaseClock(pool: pool))
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
        let keys = try keyRing()
        let policy = PasswordPolicy()
        let cache = KeyCache(database: database, ring: keys, clock: clock)
        let issuer = TokenIssuer(cache: cache, random: random, baseURL: configuration.baseURL)
        let verifier = TokenVerifier(cache: cache, baseURL: configuration.baseURL)
        let flows = Flows(
            signUp: SignUpFlow(
                database: database, clock: clock, random: random, keys: keys, hasher: hasher, policy: policy),
            verification: VerificationFlow(
                database: database, clock: clock, random: random, keys: keys, hasher: hasher, policy: policy),
            signIn: PasswordSignInFlow(database: database, clock: clock, random: random, hasher: hasher),
            codeExchange: CodeExchangeFlow(database: database, clock: clock, random: random, issuer: issuer),
            refresh: RefreshFlow(database: database, clock: clock, random: random, issuer: issuer),
            signOut: SignOutFlow(database: database, clock: clock, random: random),
            session: SessionFlow(database: database, clock: clock, verifier: verifier),
            refusal: RefusalFlow(database: database, clock: clock, random: random))
        return APIServer(
            database: database, flows: flows, keys: cache, baseURL: configuration.baseURL,
            listen: configuration.listen, devMails: devMails, logger: logger, onListening: onListening)
    }
}

/// Lets the network's event loops run everything; to be called before the first task.
func installEventLoopExecutor() {
    // The one unsafe line of the program: it must run before anything else uses the global executor.
    _ = unsafe NIOSingletons.unsafeTryInstallSingletonPosixEventLoopGroupAsConcurrencyGlobalExecutor()
}

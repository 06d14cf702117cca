import GatepostModel
import GatepostStore
import GatepostWorkers
import Logging
import Postgres
import TestSupport

/// A test's own database, the packaged jobs on it, and a superuser who makes rows and looks at what is left.
struct JobFixture: Sendable {
    let database: Database
    let admin: PostgresPool
    let clock: TestClock
    let runner: JobRunner
    private let random = SeededRandom()

    /// The time that the tests of jobs take for now.
    static let now = TestClock.start

    /// Runs `body` with a fixture; the suite has to have the trait `.ownDatabase`.
    ///
    /// - Parameters:
    ///   - jobs: The jobs to run; those of the folder `jobs` unless given.
    ///   - body: The test.
    /// - Throws: What the test throws.
    static func with(
        jobs: [JobFile]? = nil, _ body: (JobFixture) async throws -> Void
    ) async throws {
        let test = try await TestDatabase.current
        let admin = try await test.superuserPool()
        do {
            try await body(JobFixture(database: test.database, admin: admin, jobs: jobs))
        } catch {
            await admin.shutdown()
            throw error
        }
        await admin.shutdown()
    }

    private init(database: Database, admin: PostgresPool, jobs: [JobFile]?) throws {
        let clock = TestClock(at: Self.now)
        let catalog = if let jobs { JobCatalog(jobs: jobs) } else { try JobCatalog() }
        (self.database, self.admin, self.clock) = (database, admin, clock)
        runner = JobRunner(
            database: database, catalog: catalog, clock: clock, logger: Logger(label: "test") { _ in NoLog() },
            pause: { _ in })
    }

    /// Runs a statement as the superuser.
    @discardableResult
    func execute(_ statement: SQL) async throws -> PostgresResult {
        let results = try await admin.batch([statement], on: .exclusive, deadline: .seconds(20))
        guard let result = results.first else { throw NoResult() }
        return result
    }

    /// The first column of a statement's rows, which is text.
    func texts(_ statement: SQL) async throws -> [String] {
        try await execute(statement).map { row throws(PostgresError) in try row.get(0, as: String.self) }
    }

    /// A new id.
    func newID<Kind>(_ kind: TypedID<Kind>.Type = TypedID<Kind>.self) -> TypedID<Kind> {
        .make(at: clock.now, random: random)
    }

    /// An app with a client and a user.
    struct App: Sendable {
        let id: AppID
        let client: ClientID
        let user: UserID
    }

    /// Makes an app with a client and a user.
    func makeApp(settings: String = "{}") async throws -> App {
        let app = App(id: newID(), client: newID(), user: newID())
        try await execute(
            """
            with app as (
                   insert into apps (id, name, state, settings, created_at)
                   values (\(app.id), 'App', 'active', \(settings)::jsonb, \(Self.now))),
                 client as (
                   insert into clients (app_id, id, name, created_at)
                   values (\(app.id), \(app.client), 'Web', \(Self.now)))
            insert into users (app_id, id, email, email_entered, state, auth_epoch, created_at)
            values (\(app.id), \(app.user), 'ada@example.com', 'ada@example.com', 'active', 1, \(Self.now))
            """)
        return app
    }

    /// Makes a signing key in a state, each of its times given; its bytes mean nothing.
    @discardableResult
    func makeKey(
        of app: App, _ state: String, algorithm: SigningAlgorithm = .es256, createdAt: Instant,
        activatedAt: Instant? = nil, retiredAt: Instant? = nil
    ) async throws -> SigningKeyID {
        let id: SigningKeyID = newID()
        try await execute(
            """
            insert into signing_keys (app_id, id, algorithm, state, public_key, private_sealed, created_at,
                                      activated_at, retired_at)
            values (\(app.id), \(id), \(algorithm.rawValue), \(state), '\\x04', '\\x00', \(createdAt),
                    \(activatedAt), \(retiredAt))
            """)
        return id
    }

    /// The keys of an app that are in a state.
    func keys(
        of app: App, _ state: String, algorithm: SigningAlgorithm = .es256
    ) async throws -> [SigningKeyID] {
        try await execute(
            """
            select id from signing_keys
             where app_id = \(app.id) and algorithm = \(algorithm.rawValue) and state = \(state) order by id
            """
        ).map { row throws(PostgresError) in try row.get("id") }
    }

    /// The audit events of an app, as `kind actor reason`, in the order of their kinds.
    func events(of app: App) async throws -> [String] {
        try await texts(
            """
            select concat_ws(' ', kind, actor_kind, reason) as text
              from audit_events
             where app_id = \(app.id)
             order by 1
            """)
    }
}

/// A statement gave no result at all.
struct NoResult: Error {}

/// A log that keeps nothing.
struct NoLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .critical

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {}
}

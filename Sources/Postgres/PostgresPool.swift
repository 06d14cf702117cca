/// Connections to one database, shared by all tasks of the program.
///
/// Two sides with threads and queues of their own: the shared one for short batches, the exclusive one for
/// transactions and whatever may wait on locks, so that these cannot hold up the others. A job is one round trip.
/// Connections open when first needed and are replaced when they break.
package final class PostgresPool: Sendable {
    /// Which connections a batch runs on.
    package enum Side: Sendable {
        /// For what is short and waits for nobody.
        case shared
        /// For what may wait on locks or run long; transactions are here too.
        case exclusive
    }

    private let shared: Lane
    private let exclusive: Lane

    /// Prepares a pool; nothing is opened yet.
    package init(_ configuration: PostgresConfiguration) {
        let connector = Connector(configuration)
        shared = Lane(
            .shared, configuration: configuration, connector: connector,
            threadCountMax: configuration.sharedConnectionsMax,
            batchesUnderWayMax: configuration.batchesUnderWayMax)
        // What may wait on locks holds up nobody behind it.
        exclusive = Lane(
            .exclusive, configuration: configuration, connector: connector,
            threadCountMax: configuration.exclusiveConnectionsMax, batchesUnderWayMax: 1)
    }

    deinit {
        shared.close()
        exclusive.close()
    }

    /// Refuses further work, fails what is queued, waits for what is running, and closes the connections.
    package func shutdown() async {
        shared.close()
        exclusive.close()
        await shared.drain()
        await exclusive.drain()
    }

    /// Runs statements as one implicit transaction in one round trip.
    ///
    /// They travel whole, with one Sync and no BEGIN: if one fails, none takes effect, and the connection is clean for
    /// the next job. A connection that turns out dead before the Sync was sent is replaced and the batch sent again.
    ///
    /// - Parameters:
    ///   - statements: What to run, in order.
    ///   - side: Where.
    ///   - deadline: How long it may take in all, waiting in the queue included.
    /// - Returns: A result for each statement.
    /// - Throws: The first statement's error, or what kept the batch from running.
    @discardableResult
    package func batch(
        _ statements: [SQL], on side: Side = .shared, deadline: Duration
    ) async throws(PostgresError) -> [PostgresResult] {
        try statements.checkSendable()
        let job = Job(.batch(statements), deadline: Deadline(after: deadline))
        return try await (side == .shared ? shared : exclusive).run(job).get()
    }

    /// Runs a transaction on a connection of its own.
    ///
    /// It commits when the body returns and rolls back when it throws. At the deadline the transaction is rolled back
    /// wherever it is, also when it waits for the body, whose next statement then fails.
    ///
    /// - Parameters:
    ///   - begin: Statements sent together with BEGIN.
    ///   - deadline: How long the whole transaction may take, waiting for a connection included.
    ///   - isolation: The caller's actor, on which the body runs.
    ///   - body: What the transaction does; it must not keep the transaction.
    /// - Returns: What the body returned, once it has been committed.
    /// - Throws: The body's error after the rollback, or a `PostgresError` of the beginning or the commit.
    package func transaction<Output: Sendable>(
        begin: [SQL] = [], deadline: Duration, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresTransaction) async throws -> Output
    ) async throws -> Output {
        try begin.checkSendable()
        let session = TransactionSession(deadline: Deadline(after: deadline))
        let job = Job(.begin(begin, session), deadline: session.deadline)
        _ = try await exclusive.run(job).get()
        let output: Output
        do {
            output = try await body(PostgresTransaction(session))
        } catch {
            _ = await session.run(.rollback, isCancellable: false)
            throw error
        }
        // A cancelled task whose body has returned commits all the same: it has said what it wanted.
        _ = try await session.run(.commit, isCancellable: false).get()
        return output
    }
}

extension [SQL] {
    /// Throws for what libpq could not send whole.
    func checkSendable() throws(PostgresError) {
        for statement in self {
            if let number = statement.unsendableParameter {
                throw PostgresError(.unsendableParameter(number: number), statement: statement.text)
            }
            if statement.parameters.count > SQL.parameterCountMax || statement.bytes.count > SQL.parameterBytesMax {
                throw PostgresError(
                    .unsendableParameter(number: statement.parameters.count), statement: statement.text)
            }
        }
    }
}

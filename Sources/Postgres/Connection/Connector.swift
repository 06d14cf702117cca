import CLibpq
import Glibc
import Synchronization

/// Opens connections for all workers of a pool.
final class Connector: Sendable {
    private let configuration: PostgresConfiguration
    private let targets: [ConnectionTargets.Target]?
    /// The host that answered last, where the next attempt begins: a failed-over cluster is searched once.
    private let preferred = Atomic<Int>(0)

    init(_ configuration: PostgresConfiguration) {
        self.configuration = configuration
        targets = ConnectionTargets(configuration.connectionString)?.targets
    }

    /// Tries the hosts in turn, with pauses that grow, until one answers or the time is up.
    ///
    /// - Parameters:
    ///   - limits: The job's; each host gets no more than `connectTimeout` of its time.
    ///   - backoff: The worker's, which outlives the job.
    ///   - isClosed: Whether the pool is being shut down, which ends the attempts.
    /// - Returns: A connection that is ready for a pipeline.
    /// - Throws: `connectFailed` with the reasons of the last round, `cancelled` or `closed`.
    func open(
        _ limits: Limits, _ backoff: inout Backoff, isClosed: () -> Bool
    ) throws(PostgresError) -> Connection {
        guard let targets else {
            // libpq's message would quote the string, and with it perhaps a password.
            throw PostgresError(.connectFailed, hint: "the connection string cannot be read")
        }
        while true {
            var reasons: [String] = []
            let first = preferred.load(ordering: .relaxed)
            for offset in targets.indices {
                let index = (first + offset) % targets.count
                switch attempt(targets[index], limits) {
                case .success(let connection):
                    backoff.reset()
                    preferred.store(index, ordering: .relaxed)
                    return connection
                case .failure(let failure):
                    if failure.interruption == .cancelled { throw PostgresError(.cancelled) }
                    reasons.append(failure.reason)
                }
                if limits.deadline.hasPassed { break }
            }
            try pause(backoff.pause(), limits, reasons, isClosed)
        }
    }

    private func pause(
        _ pause: Duration, _ limits: Limits, _ reasons: [String], _ isClosed: () -> Bool
    ) throws(PostgresError) {
        do throws(Interruption) {
            try limits.until(Deadline(after: pause)).wait(for: 0, on: -1)
        } catch .cancelled {
            throw PostgresError(.cancelled)
        } catch {
            if isClosed() { throw PostgresError(.closed) }
            guard limits.deadline.hasPassed else { return }
            throw PostgresError(.connectFailed, hint: reasons.joined(separator: "; "))
        }
    }

    private struct Failure: Error {
        let interruption: Interruption?
        let reason: String
    }

    private func attempt(
        _ target: ConnectionTargets.Target, _ limits: Limits
    ) -> Result<Connection, Failure> {
        guard let raw = unsafe Self.start(target) else {
            return .failure(Failure(interruption: nil, reason: "out of memory"))
        }
        do throws(Interruption) {
            try unsafe Self.establish(raw, limits.until(Deadline(after: configuration.connectTimeout)))
        } catch {
            let failure = unsafe Failure(interruption: error, reason: Self.reason(raw, error))
            unsafe PQfinish(raw)
            return .failure(failure)
        }
        guard let connection = unsafe Connection(taking: raw, configuration) else {
            return .failure(Failure(interruption: nil, reason: "client_encoding is not UTF8"))
        }
        return .success(connection)
    }

    private static func start(_ target: ConnectionTargets.Target) -> OpaquePointer? {
        var keywords: [UnsafePointer<CChar>?] = unsafe []
        var values: [UnsafePointer<CChar>?] = unsafe []
        defer {
            while let keyword = unsafe keywords.popLast() { unsafe free(UnsafeMutablePointer(mutating: keyword)) }
            while let value = unsafe values.popLast() { unsafe free(UnsafeMutablePointer(mutating: value)) }
        }
        for (keyword, value) in target.parameters {
            unsafe keywords.append(strdup(keyword))
            unsafe values.append(strdup(value))
        }
        unsafe keywords.append(nil)
        unsafe values.append(nil)
        return unsafe PQconnectStartParams(keywords, values, 0)
    }

    /// Follows libpq through the handshake without blocking, except where it resolves a name.
    private static func establish(_ raw: OpaquePointer, _ limits: Limits) throws(Interruption) {
        guard unsafe PQstatus(raw) != CONNECTION_BAD else { throw .lost }
        var step = PGRES_POLLING_WRITING
        while true {
            switch step {
            case PGRES_POLLING_OK: return
            // The socket may be another one after each step.
            case PGRES_POLLING_READING: try unsafe limits.wait(for: POLLIN, on: PQsocket(raw))
            case PGRES_POLLING_WRITING: try unsafe limits.wait(for: Int32(POLLOUT), on: PQsocket(raw))
            default: throw .lost
            }
            step = unsafe PQconnectPoll(raw)
        }
    }

    /// What libpq says after "failed:", which names a cause and at most a role or database.
    ///
    /// The rest of its messages may quote a connection string that was written wrongly, password and all.
    private static func reason(_ raw: OpaquePointer, _ interruption: Interruption) -> String {
        if interruption == .deadline { return "no answer in time" }
        let message = unsafe String(cString: PQerrorMessage(raw))
        let reasons = message.split(separator: "\n").compactMap { line in
            line.firstRange(of: " failed: ").map { String(line[$0.upperBound...]) }
        }
        return reasons.isEmpty ? "the host cannot be resolved or a setting is wrong" : reasons.joined(separator: "; ")
    }
}

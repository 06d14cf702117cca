import CLibpq
import Glibc

/// An established connection, confined to the thread of the worker that opened it.
///
/// libpq is kept non-blocking and in pipeline mode; `Connection+pipeline.swift` sends, `Connection+receive.swift`
/// reads.
@safe final class Connection {
    /// Why statements did not run to their end.
    struct Failure: Error {
        var error: PostgresError
        /// Nothing took effect, and another try may succeed: on a new connection, or with a new plan.
        var mayRunAgain = false
    }

    let raw: OpaquePointer
    let socket: Int32
    let usesPreparedStatements: Bool
    private let cancelGrace: Duration
    var prepared: PreparedStatements

    /// What the server still has to answer, in order.
    var expected: [Expectation] = []

    /// Whether waiting for room to send was given up, so that the server surely has not seen the Sync.
    private(set) var hasUnsent = false

    /// Set once libpq and the server may no longer agree where they are; the connection has to be closed.
    var isBroken = false

    /// Takes over a connection that has just been opened; none, and closed, if it does not speak UTF-8.
    init?(taking raw: OpaquePointer, _ configuration: PostgresConfiguration) {
        unsafe self.raw = unsafe raw
        socket = unsafe PQsocket(raw)
        usesPreparedStatements = configuration.usesPreparedStatements
        cancelGrace = configuration.cancelGrace
        prepared = PreparedStatements(countMax: configuration.preparedStatementsMax)
        let encoding = unsafe PQparameterStatus(raw, "client_encoding").map { unsafe String(cString: $0) }
        guard encoding == "UTF8" || encoding == nil else { return nil }
        // The default receiver prints to standard error, and notices may hold values.
        _ = unsafe PQsetNoticeReceiver(raw, { _, _ in }, nil)
        guard unsafe PQsetnonblocking(raw, 1) == 0, unsafe PQenterPipelineMode(raw) == 1 else { return nil }
    }

    deinit {
        unsafe PQfinish(raw)
    }

    /// Whether the next job may use the connection.
    var isReusable: Bool { !isBroken && !prepared.isOverfull && !isInTransaction }

    /// Whether an explicit transaction is open, which a job has to have ended when it gives the connection back.
    var isInTransaction: Bool { unsafe PQtransactionStatus(raw) != PQTRANS_IDLE }

    /// Waits for the server to be done; if the limits do not allow it, cancels on the server and waits a little more.
    ///
    /// - Parameters:
    ///   - limits: The job's.
    ///   - read: Reads on from where it was.
    /// - Returns: What interrupted the work, if it was; the work may have come to its end all the same.
    /// - Throws: Why the connection has had to be given up.
    func finish(
        within limits: Limits, _ read: (Limits) throws(Interruption) -> Void
    ) throws(Interruption) -> Interruption? {
        do throws(Interruption) {
            try read(limits)
            return nil
        } catch .lost {
            isBroken = true
            throw .lost
        } catch {
            try endOnServer(limits.wakeUp, read, error)
            return error
        }
    }

    private func endOnServer(
        _ wakeUp: WakeUp, _ read: (Limits) throws(Interruption) -> Void, _ reason: Interruption
    ) throws(Interruption) {
        guard let request = unsafe CancelRequest.start(for: raw, signalling: wakeUp) else {
            isBroken = true
            throw reason
        }
        let grace = Limits(deadline: Deadline(after: cancelGrace), cancelFlag: nil, wakeUp: wakeUp)
        do throws(Interruption) {
            try read(grace)
            while !request.hasEnded {
                let remaining = grace.deadline.remainingMilliseconds
                guard remaining > 0 else { throw .deadline }
                _ = wakeUp.wait(orFor: 0, on: -1, milliseconds: remaining)
            }
        } catch {
            isBroken = true
            throw reason
        }
    }

    /// Hands libpq's buffer to the kernel, reading meanwhile so that neither side waits for the other for ever.
    func flush(_ limits: Limits) throws(Interruption) {
        while true {
            let pending = unsafe PQflush(raw)
            hasUnsent = pending > 0
            if pending == 0 { return }
            guard pending > 0 else { throw .lost }
            let events = try limits.wait(for: POLLIN | Int32(POLLOUT), on: socket)
            // Reading sends too, so from here on nobody knows.
            hasUnsent = false
            if events & Int16(POLLIN) != 0, unsafe PQconsumeInput(raw) == 0 { throw .lost }
        }
    }

    /// Waits until libpq has a result or its absence to give.
    func waitForResult(_ limits: Limits) throws(Interruption) {
        while unsafe PQisBusy(raw) == 1 {
            try limits.wait(for: POLLIN, on: socket)
            guard unsafe PQconsumeInput(raw) == 1 else { throw .lost }
        }
    }

    /// Whether the server has said nothing unasked.
    ///
    /// What it says between two batches is that it is going (57P01), and its process may take a while to go: until the
    /// socket is closed the connection would still look alive. Whatever else it may say costs a connection, no more.
    var isQuiet: Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&descriptor, 1, 0) <= 0
    }

    /// Whether the server is still there, as far as the kernel knows.
    ///
    /// libpq takes a write to a closed socket for a success and only finds out when it reads (`pqsecure_raw_write`), so
    /// this is asked before the Sync is written: until then nothing can have been committed. A pipeline that is larger
    /// than libpq's buffer may have answers by now, which are taken in.
    var isAlive: Bool {
        while true {
            var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            if unsafe poll(&descriptor, 1, 0) <= 0 { return true }
            if unsafe PQconsumeInput(raw) == 0 { return false }
        }
    }
}

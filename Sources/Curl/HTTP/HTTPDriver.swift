import CLibcurl
import Foundation
import Synchronization

/// The thread that drives all exchanges of an `HTTPClient` with one multi handle.
///
/// Callers only leave a command and wake it; every libcurl call but the wake-up is made on this thread.
final class HTTPDriver: Sendable {
    enum Command: Sendable {
        case start(id: Int, HTTPRequest, @Sendable (Result<HTTPResponse, CurlError>) -> Void)
        case cancel(id: Int)
    }

    private struct State {
        var commands: [Command] = []
        var nextID = 0
        /// Started and not yet ended, so that the number can be limited where requests come in.
        var openCount = 0
        var isShutDown = false
        var hasEnded = false
        var onEnd: [CheckedContinuation<Void, Never>] = []
    }

    /// The longest the thread sleeps without a wake-up or traffic.
    private static let pollMilliseconds: Int32 = 10_000

    private let settings: HTTPClient.Settings
    private let multi: MultiHandle
    private let state = Mutex(State())

    init(_ settings: HTTPClient.Settings) throws(CurlError) {
        self.settings = settings
        multi = try MultiHandle(
            connectionsMax: settings.connectionsMax, hostConnectionsMax: settings.hostConnectionsMax)
        let thread = Thread { self.run() }
        thread.name = "http"
        thread.start()
    }

    func makeID() -> Int {
        state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
    }

    /// Leaves a request for the thread, or says why not.
    func start(
        _ request: HTTPRequest, id: Int, finish: @escaping @Sendable (Result<HTTPResponse, CurlError>) -> Void
    ) {
        let refusal: CurlError? = state.withLock { state in
            // The flag is read under the lock that a cancellation needs, so none is missed.
            if Task.isCancelled { return .cancelled }
            if state.isShutDown { return .shutDown }
            if state.openCount >= settings.requestsMax { return .overloaded }
            state.openCount += 1
            state.commands.append(.start(id: id, request, finish))
            return nil
        }
        if let refusal { finish(.failure(refusal)) } else { multi.wake() }
    }

    func cancel(id: Int) {
        state.withLock { $0.commands.append(.cancel(id: id)) }
        multi.wake()
    }

    /// Takes no more requests; the thread ends when those in flight have ended, which their deadlines bound.
    func close() {
        state.withLock { $0.isShutDown = true }
        multi.wake()
    }

    /// Waits until the thread has ended.
    func ended() async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                if state.hasEnded { continuation.resume() } else { state.onEnd.append(continuation) }
            }
        }
    }

    private func run() {
        var transfers: [UInt: HTTPTransfer] = [:]
        while true {
            let (commands, isOver) = state.withLock { state in
                defer { state.commands = [] }
                return (state.commands, state.isShutDown)
            }
            for command in commands { obey(command, &transfers) }
            multi.perform()
            while let (address, code) = multi.nextFinished() {
                guard let transfer = transfers.removeValue(forKey: address) else { continue }
                multi.remove(transfer.handle)
                transfer.end(code)
                countEnd()
            }
            if isOver && transfers.isEmpty { break }
            multi.poll(milliseconds: Self.pollMilliseconds)
        }
        let waiters = state.withLock { state in
            state.hasEnded = true
            return state.onEnd
        }
        for waiter in waiters { waiter.resume() }
    }

    private func obey(_ command: Command, _ transfers: inout [UInt: HTTPTransfer]) {
        switch command {
        case .start(let id, let request, let finish):
            do throws(CurlError) {
                let transfer = try HTTPTransfer(request, id: id, settings: settings, finish: finish)
                try multi.add(transfer.handle)
                transfers[transfer.handle.address] = transfer
            } catch {
                finish(.failure(error))
                countEnd()
            }
        case .cancel(let id):
            // A transfer that has ended since is gone; ids are not used twice.
            guard let (address, transfer) = transfers.first(where: { $0.value.id == id }) else { return }
            transfers[address] = nil
            multi.remove(transfer.handle)
            transfer.fail(.cancelled)
            countEnd()
        }
    }

    private func countEnd() {
        state.withLock { $0.openCount -= 1 }
    }
}

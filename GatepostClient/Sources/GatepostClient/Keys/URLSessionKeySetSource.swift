public import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Fetches key sets by `URLSession`, which every installation of Swift has.
public struct URLSessionKeySetSource: KeySetSource {
    /// Why no key set came.
    public enum Failure: Error, Sendable, CustomStringConvertible {
        /// Another answer than 200.
        case status(Int)
        /// More than a key set may have.
        case tooLong
        /// None, or none in time.
        case unreachable(String)

        public var description: String {
            switch self {
            case .status(let status): "the answer was \(status)"
            case .tooLong: "the answer was too long"
            case .unreachable(let words): words
            }
        }
    }

    private let timeout: Duration

    /// Prepares one.
    ///
    /// - Parameter timeout: How long an exchange may take in all.
    public init(timeout: Duration = .seconds(5)) {
        self.timeout = timeout
    }

    public func keySet(at url: URL) async throws -> FetchedKeySet {
        let settings = URLSessionConfiguration.ephemeral
        settings.timeoutIntervalForRequest = timeout / .seconds(1)
        settings.timeoutIntervalForResource = timeout / .seconds(1)
        settings.urlCache = nil
        settings.httpCookieStorage = nil
        var request = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData)
        request.setValue("application/json", forHTTPHeaderField: "Accept")
        // Past whatever stands between, as far as it listens: a revoked key is to be gone.
        request.setValue("no-cache", forHTTPHeaderField: "Cache-Control")
        let exchange = Exchange()
        // A session for each exchange: there is one in minutes, and a session keeps its delegate until it is ended.
        let session = URLSession(configuration: settings, delegate: exchange, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        return try await exchange.run(session.dataTask(with: request))
    }
}

/// One request and its answer, read no further than it may be long.
private final class Exchange: NSObject, URLSessionDataDelegate {
    private struct State {
        var body: [UInt8] = []
        var isTooLong = false
        var continuation: CheckedContinuation<FetchedKeySet, any Error>?
    }

    private let state = Mutex(State())

    func run(_ task: URLSessionDataTask) async throws -> FetchedKeySet {
        try await withCheckedThrowingContinuation { continuation in
            state.withLock { $0.continuation = continuation }
            task.resume()
        }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLong = state.withLock { state in
            state.body += data
            state.isTooLong = state.body.count > FetchedKeySet.bytesMax
            return state.isTooLong
        }
        if isTooLong { dataTask.cancel() }
    }

    /// None is followed: where the keys are is configured, and no answer's to say.
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let (continuation, body, isTooLong) = state.withLock { state in
            defer { state.continuation = nil }
            return (state.continuation, state.body, state.isTooLong)
        }
        continuation?.resume(with: Result { try Self.answer(task.response, body, isTooLong, error) })
    }

    private static func answer(
        _ response: URLResponse?, _ body: [UInt8], _ isTooLong: Bool, _ error: (any Error)?
    ) throws -> FetchedKeySet {
        if isTooLong { throw URLSessionKeySetSource.Failure.tooLong }
        if let error { throw URLSessionKeySetSource.Failure.unreachable(error.localizedDescription) }
        guard let response = response as? HTTPURLResponse else {
            throw URLSessionKeySetSource.Failure.unreachable("there was no answer")
        }
        guard response.statusCode == 200 else { throw URLSessionKeySetSource.Failure.status(response.statusCode) }
        let age = response.value(forHTTPHeaderField: "Age").flatMap { UInt32($0) } ?? 0
        return FetchedKeySet(body: body, age: .seconds(Int(age)))
    }
}

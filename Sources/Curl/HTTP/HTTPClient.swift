/// Sends HTTP requests; all exchanges share one thread and its connections.
///
/// It follows no redirects, keeps no cookies, uses no proxy and no credentials from files, and speaks only HTTP/1.1
/// over `http` and `https`. Every exchange has a total, a connect and a low-speed limit, because a chunked answer that
/// never ends would otherwise hold it for ever (measured with libcurl 7.88).
package final class HTTPClient: Sendable {
    /// What holds for all exchanges of a client.
    package struct Settings: Sendable {
        /// A file of trusted certificates in PEM, nil for the system's.
        package var caBundlePath: String?
        /// Exchanges at one time, those included that wait for a connection; one more is refused.
        package var requestsMax = 10_000
        /// Open connections; further exchanges wait.
        package var connectionsMax = 1000
        /// Open connections to one host, so that a slow one does not take them all.
        package var hostConnectionsMax = 100
        /// Decides on the address that is about to be dialled, each time a connection is made.
        ///
        /// The name in the URL proves nothing: it may be `127.1`, or resolve to a private address this time only. It
        /// is a setting of the client, not of a request, because later requests use the connection again.
        package var isAddressAllowed: @Sendable (SocketAddress) -> Bool

        /// Makes settings with the default limits.
        package init(
            caBundlePath: String? = nil, isAddressAllowed: @escaping @Sendable (SocketAddress) -> Bool
        ) {
            self.caBundlePath = caBundlePath
            self.isAddressAllowed = isAddressAllowed
        }
    }

    private let driver: HTTPDriver

    /// Makes a client and starts its thread.
    ///
    /// - Parameter settings: What holds for all exchanges.
    /// - Throws: `CurlError.unsupported` if libcurl lacks something that is needed.
    package init(_ settings: Settings) throws(CurlError) {
        driver = try HTTPDriver(settings)
    }

    deinit {
        driver.close()
    }

    /// Sends a request and waits for the answer.
    ///
    /// Cancelling the calling task closes the exchange's connection at once.
    ///
    /// - Parameter request: The request and its limits.
    /// - Returns: The answer, whatever its status.
    /// - Throws: Why there is none.
    package func send(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
        let id = driver.makeID()
        typealias Waiting = CheckedContinuation<Result<HTTPResponse, CurlError>, Never>
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: Waiting) in
                driver.start(request, id: id) { continuation.resume(returning: $0) }
            }
        } onCancel: {
            driver.cancel(id: id)
        }
        return try result.get()
    }

    /// Takes no more requests, waits for those in flight and ends the thread.
    package func shutdown() async {
        driver.close()
        await driver.ended()
    }
}

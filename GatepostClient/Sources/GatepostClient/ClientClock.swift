import Foundation

/// Time as the client sees it: an input, so that tests own it.
public protocol ClientClock: Sendable {
    /// Seconds since 1970, which tokens and notices are compared with.
    var unixSeconds: Int64 { get }
    /// Time since some fixed moment, which nobody sets back: ages are measured with it.
    var uptime: Duration { get }
    /// Waits; throws `CancellationError` if the task is cancelled meanwhile.
    func sleep(for duration: Duration) async throws
}

/// The clock of the machine.
public struct SystemClock: ClientClock {
    private let start = ContinuousClock().now

    /// Takes the machine's time.
    public init() {}

    public var unixSeconds: Int64 { Int64(Date().timeIntervalSince1970.rounded(.down)) }
    public var uptime: Duration { ContinuousClock().now - start }

    public func sleep(for duration: Duration) async throws {
        try await Task.sleep(for: duration)
    }
}

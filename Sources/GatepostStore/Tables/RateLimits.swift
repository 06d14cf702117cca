import Crypto
package import GatepostModel
import Postgres

/// How often something may be tried in a window of time.
package struct RateLimit: Sendable {
    package let name: String
    package let tries: Int32
    package let window: Duration

    /// Names a limit; the name is part of what is counted.
    package init(_ name: String, tries: Int32, per window: Duration) {
        (self.name, self.tries, self.window) = (name, tries, window)
    }
}

/// What one more try came to.
package enum RateLimitVerdict: Sendable, Equatable {
    case allowed
    /// Refused until this much time has passed.
    case refused(retryAfter: Duration)
}

extension AppBatch {
    /// Counts one try against a limit, for what the limit bounds: an address, an account.
    ///
    /// To be run in a batch that commits on its own before the work. Windows are fixed, aligned to the epoch.
    package mutating func spend(
        _ limit: RateLimit, for subject: String, at now: Instant
    ) -> BatchReading<RateLimitVerdict> {
        let window = Self.window(limit, at: now)
        return read(
            """
            insert into rate_limits as r (app_id, key_hash, window_at, count, expires_at)
            values (\(scope.appID), \(Self.key(limit, subject)), \(window), 1, \(window + limit.window))
            on conflict (app_id, key_hash, window_at) do update set count = least(r.count, 1000000) + 1
            returning count
            """
        ) { rows in
            guard let count = try rows.first?.get("count", as: Int32.self), count > limit.tries else { return .allowed }
            return .refused(retryAfter: window + limit.window - now)
        }
    }

    /// Gives one try back: it was no guess, it succeeded.
    package mutating func refund(_ limit: RateLimit, for subject: String, at now: Instant) {
        add(
            """
            update rate_limits set count = count - 1
             where app_id = \(scope.appID) and key_hash = \(Self.key(limit, subject))
               and window_at = \(Self.window(limit, at: now)) and count > 0
            """)
    }

    private static func key(_ limit: RateLimit, _ subject: String) -> [UInt8] {
        Array(SHA256.hash(data: Array("\(limit.name)\u{0}\(subject)".utf8)))
    }

    private static func window(_ limit: RateLimit, at now: Instant) -> Instant {
        Instant(microseconds: now.microseconds - now.microseconds % limit.window.microseconds)
    }
}

package import GatepostModel
import Postgres

/// What an idempotency key turned out to be.
package enum IdempotencyVerdict: Sendable, Equatable {
    /// Nobody has used it: the write goes on.
    case first
    /// The same request was carried out before; this names what it made.
    case repeated(String)
    /// It came with another request before.
    case reused
}

extension AppTransaction {
    /// Claims an idempotency key, in the transaction of the write that it names.
    ///
    /// The first caller inserts the row and goes on; a racing one waits for that commit and then finds it. If the
    /// first one rolls back, the second one is the first.
    ///
    /// - Parameters:
    ///   - key: The key; nil for a caller that sent none, who always goes on.
    ///   - reference: What the write will have made or changed, from which the answer is rendered again.
    ///   - now: The moment.
    /// - Returns: Whether to go on.
    /// - Throws: `PostgresError`.
    package func claim(
        _ key: IdempotencyKey?, reference: String, at now: Instant
    ) async throws -> IdempotencyVerdict {
        guard let key else { return .first }
        let claimed = try await query(
            """
            insert into idempotency_keys as k (app_id, key_hash, request_hash, reference, created_at, expires_at)
            values (\(scope.appID), \(key.keyHash), \(key.requestHash), to_jsonb(\(reference)::text), \(now),
                    \(now + Lifetimes.idempotencyKey))
            on conflict (app_id, key_hash) do update
               set request_hash = excluded.request_hash, reference = excluded.reference,
                   created_at = excluded.created_at, expires_at = excluded.expires_at
             where k.expires_at <= excluded.created_at
            returning key_hash
            """)
        guard claimed.isEmpty else { return .first }
        let known = try await query(
            """
            select request_hash, reference #>> '{}' as reference
              from idempotency_keys
             where app_id = \(scope.appID) and key_hash = \(key.keyHash)
            """)
        guard let row = known.first, try row.get("request_hash", as: [UInt8].self) == key.requestHash else {
            return .reused
        }
        return .repeated(try row.get("reference"))
    }
}

extension AppBatch {
    /// Says what a repeat is answered with, in the transaction that claimed the key.
    package mutating func setReference(_ reference: String, of key: IdempotencyKey) {
        add(
            """
            update idempotency_keys set reference = to_jsonb(\(reference)::text)
             where app_id = \(scope.appID) and key_hash = \(key.keyHash)
            """)
    }

    /// Gives back a key that was claimed in this very transaction, because the write was refused.
    package mutating func release(_ key: IdempotencyKey) {
        add("delete from idempotency_keys where app_id = \(scope.appID) and key_hash = \(key.keyHash)")
    }
}

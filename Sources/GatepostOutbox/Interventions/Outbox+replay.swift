package import GatepostModel
package import GatepostStore
import Postgres

/// A message that has ended, and the one that owes it anew.
package struct MessageReplay: Sendable {
    /// The one that ended.
    package let message: MessageID
    /// The new one.
    package let id: MessageID
    package let userID: UserID?
    package let flowID: FlowID?

    /// Names the new message; whom it concerns is read from the old one.
    package init(of message: MessageID, as id: MessageID) {
        (self.message, self.id, userID, flowID) = (message, id, nil, nil)
    }

    init(_ row: PostgresRow) throws {
        message = try row.get("replay_of")
        id = try row.get("id")
        userID = try row.get("user_id")
        flowID = try row.get("flow_id")
    }
}

extension AppTransaction {
    /// Lets the transactions that owe something anew take turns within an app.
    ///
    /// Each then sees what the one before has owed, also where a worker has claimed it since. The lock ends with the
    /// transaction, so it holds behind a pooler too.
    package func lockReplays() async throws {
        _ = try await query(
            "select pg_advisory_xact_lock(hashtextextended(\("replays of \(scope.appID)")::text, 0))")
    }

    /// Owes messages anew that have ended, each as a new message.
    ///
    /// The payload names the flow and holds no secret, so the new mail carries the flow's link and code as they are.
    /// It lives no longer than they do; where there is no flow, as long as the first one did. Whether the purpose
    /// still stands is asked when it is sent.
    ///
    /// - Parameters:
    ///   - replays: The messages and the ids of the new ones.
    ///   - lane: The lane of the new messages; nil for that of the old ones.
    ///   - now: The moment.
    /// - Returns: What is owed now; a message whose replay waits unclaimed is left out.
    /// - Throws: `PostgresError`.
    package func replay(
        _ replays: [MessageReplay], in lane: Lane? = nil, at now: Instant
    ) async throws -> [MessageReplay] {
        let margin = Lifetimes.mailMargin.wholeSeconds
        let rows = try await query(
            """
            insert into outbox (app_id, id, kind, lane, route, flow_id, user_id, recipient_hash, ready, due_at,
                                expires_at, payload, unique_key, replay_of, trace, created_at)
            select d.app_id, w.replay_id, d.kind, coalesce(\(lane?.rawValue)::text, d.lane), d.route, d.flow_id,
                   d.user_id, d.recipient_hash, true, \(now)::timestamptz,
                   coalesce(f.expires_at - make_interval(secs => \(margin)::float8),
                            \(now)::timestamptz + coalesce(d.expires_at - d.created_at, interval '1 day')),
                   d.payload, 'replay ' || d.id, d.id, d.trace, \(now)::timestamptz
              from unnest(\(replays.map(\.message)), \(replays.map(\.id))) as w (id, replay_id)
             cross join lateral (
                     select q.app_id, q.id, q.kind, q.lane, q.route, q.flow_id, q.user_id, q.recipient_hash, q.payload,
                            q.trace, q.created_at, q.expires_at
                       from deliveries as q
                      where q.app_id = \(scope.appID) and q.id = w.id
                     offset 0) as d
              left join flows as f on f.app_id = d.app_id and f.id = d.flow_id and f.state = 'pending'
                on conflict (app_id, unique_key) where claim_number = 0 and unique_key is not null do nothing
            returning id, replay_of, user_id, flow_id
            """)
        return try rows.map(MessageReplay.init)
    }
}

extension AppBatch {
    /// Finds what failed and has not been owed anew, the oldest first.
    ///
    /// - Parameters:
    ///   - filter: Its kind, its state and its bounds count.
    ///   - limit: How many at most.
    ///   - now: The moment, from which the app's history is counted back.
    /// - Returns: Their ids.
    package mutating func failedMessages(
        _ filter: LedgerFilter, limit: Int, at now: Instant
    ) -> BatchReading<[MessageID]> {
        let ends = filter.state.map { [$0.rawValue] } ?? MessageEnd.failures.map(\.rawValue)
        return read(LedgerStatements(scope, at: now).failed(filter, ends: ends, limit: limit)) {
            try $0.map { try $0.get("id") }
        }
    }
}

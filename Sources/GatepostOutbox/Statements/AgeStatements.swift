import Postgres

/// The statements that say how the queue is, for the metrics: each reads the first entry of an index.
enum AgeStatements {
    /// Since when the oldest message of each lane is owed; null where none is.
    ///
    /// What was never claimed is as old as it is ready, which the first entry of `outbox_new` says; what was tried or
    /// handed back stands in `outbox_tried`. Between the two lies only what is under its first lease. What is held or
    /// scheduled waits on purpose.
    static func oldest() -> SQL {
        """
        select l.lane,
               least((select due_at from outbox
                       where ready and held_at is null and lane = l.lane and due_at > '-infinity'
                       order by lane, due_at
                       limit 1),
                     (select created_at from outbox
                       where held_at is null and (claim_number > 1 or attempt_count > 0) and lane = l.lane
                       order by lane, created_at
                       limit 1)) as oldest_at
          from unnest(\(Lane.allCases.map(\.rawValue))::text[]) as l (lane)
        """
    }
}

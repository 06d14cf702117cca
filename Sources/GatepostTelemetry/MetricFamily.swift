/// One metric as `/metrics` shows it: its name, what it means, and by what it is told apart.
///
/// Every family there is stands in `all`; the registry makes no other, so no label can creep in that grows with the
/// number of apps or users.
package struct MetricFamily: Sendable {
    /// Prometheus' types.
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// With the unit at its end, and `_total` for what only grows.
    package let name: String
    package let kind: Kind
    package let help: String
    /// The labels' names, in order.
    package let labels: [String]
    /// Upper bounds of a histogram's buckets, in the unit of the name.
    package let buckets: [Double]
    /// Whether a series is shown before anything was counted in it.
    ///
    /// Yes where its first count must be seen as a rise; no for routes, of which most are never called.
    package let showsUntouched: Bool

    private init(
        _ kind: Kind, _ name: String, by labels: [String], buckets: [Double] = [], showsUntouched: Bool = true,
        _ help: String
    ) {
        (self.name, self.kind, self.help, self.labels) = (name, kind, help, labels)
        (self.buckets, self.showsUntouched) = (buckets, showsUntouched)
    }

    /// Seconds of what a person waits for.
    private static let requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
    /// Seconds of what should take none.
    private static let waitBuckets = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
    /// Seconds of one delivery.
    private static let deliveryBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 90]
    /// Seconds until a receiver has it, up to a day of retries.
    private static let acceptanceBuckets = [
        0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400,
    ]
}

// What one process counts.
extension MetricFamily {
    /// Counted by `AccessLog`.
    package static let httpRequests = MetricFamily(
        .counter, "gatepost_http_requests_total", by: ["method", "route", "status"], showsUntouched: false,
        "Requests answered, by route template and class of status; broken: the caller went away before the answer.")
    /// Measured by `AccessLog`.
    package static let httpDuration = MetricFamily(
        .histogram, "gatepost_http_request_duration_seconds", by: ["method", "route"], buckets: requestBuckets,
        showsUntouched: false, "Time from a request's head to the head of its answer.")
    /// Counted when the settlement is stored, so that nothing is counted twice.
    package static let attempts = MetricFamily(
        .counter, "gatepost_outbox_attempts_total", by: ["kind", "outcome"],
        "Attempts that reached the network, by kind of message and what came of them.")
    /// Counted when the settlement is stored.
    package static let ends = MetricFamily(
        .counter, "gatepost_outbox_ends_total", by: ["kind", "outcome"],
        "Messages that this process settled for good, by kind and end.")
    /// Counted when the settlement is stored.
    package static let retries = MetricFamily(
        .counter, "gatepost_outbox_retries_total", by: ["kind"],
        "Attempts after which a message waits for another one.")
    /// Counted when the settlement is stored.
    package static let putOff = MetricFamily(
        .counter, "gatepost_outbox_put_off_total", by: ["kind"],
        "Claims that came to no attempt and no end: handed back, or to be looked at again.")
    /// The pace of a worker and of those it delivers to.
    package static let claimToSettle = MetricFamily(
        .histogram, "gatepost_outbox_claim_to_settle_seconds", by: ["lane"], buckets: deliveryBuckets,
        "Time from a message's claim until what became of it was stored.")
    /// What a person waits for.
    package static let acceptance = MetricFamily(
        .histogram, "gatepost_outbox_acceptance_seconds", by: ["kind"], buckets: acceptanceBuckets,
        "Time from the request that owed a message until its receiver took it.")
    /// Read from the worker's breaker.
    package static let breakersOpen = MetricFamily(
        .gauge, "gatepost_breakers_open", by: ["route"], "Destinations that this process leaves alone at present.")
    /// Read from the worker's breaker.
    package static let breakerOpenings = MetricFamily(
        .counter, "gatepost_breaker_openings_total", by: ["route"],
        "How often a destination that had worked was found to fail.")
    /// Read from the worker's breaker.
    package static let breakerProbes = MetricFamily(
        .counter, "gatepost_breaker_probes_total", by: ["route"], "Attempts that probed a destination that fails.")
    /// Read from the worker's breaker.
    package static let breakerTurnedAway = MetricFamily(
        .counter, "gatepost_breaker_turned_away_total", by: ["route"],
        "Claims of messages whose destination failed or had its share; a message may come many times.")
    /// Read from the worker.
    package static let settlements = MetricFamily(
        .counter, "gatepost_outbox_settlements_total", by: ["result"],
        "Settlements by what they found: their message, one that was cancelled, or one that another worker had.")
    /// Measured by the threads of the pool.
    package static let databaseWait = MetricFamily(
        .histogram, "gatepost_database_wait_seconds", by: ["pool"], buckets: waitBuckets,
        "Time that work waited for one of the pool's connections.")
    /// Measured by the threads that hash.
    package static let hashWait = MetricFamily(
        .histogram, "gatepost_password_hash_wait_seconds", by: [], buckets: requestBuckets,
        "Time that a password waited for a thread to hash it.")
    /// Counted where a full queue refuses.
    package static let hashRefusals = MetricFamily(
        .counter, "gatepost_password_hash_refusals_total", by: [],
        "Callers who were told to come back because the queue of the hash threads was full.")
    /// Counted at each new password, where a server is named that knows leaked ones.
    package static let rangeChecks = MetricFamily(
        .counter, "gatepost_password_range_checks_total", by: ["outcome"],
        "New passwords for which a range server was asked: answered, or taken without an answer (unanswered).")
    /// Read from the clock at each scrape.
    package static let clockAge = MetricFamily(
        .gauge, "gatepost_clock_sample_age_seconds", by: [], "Age of the last look at the database's time.")
}

// What is so in the whole installation, read from the database; each process shows the same.
extension MetricFamily {
    /// Whether the rest of these could be read.
    package static let databaseUp = MetricFamily(
        .gauge, "gatepost_database_up", by: [], "1 while the database answers, else 0.")
    /// The number that says whether the outbox works.
    package static let oldestAge = MetricFamily(
        .gauge, "gatepost_outbox_oldest_age_seconds", by: ["lane"],
        "Age of the oldest message that is owed and neither held nor scheduled; 0 where nothing is owed.")
    /// Grows past the rotation age where rotation does not work.
    package static let keyAge = MetricFamily(
        .gauge, "gatepost_signing_key_age_seconds", by: [], "Age of the oldest signing key in use, of all apps.")
    /// Grows where no worker runs jobs.
    package static let jobLag = MetricFamily(
        .gauge, "gatepost_job_lag_seconds", by: ["job"],
        "Time since a job should have run and did not, or not well; 0 where its last due run was a good one.")
    /// More than none says that partitions are not kept up.
    package static let defaultPartitionRows = MetricFamily(
        .gauge, "gatepost_default_partition_rows", by: ["table"],
        "Rows in a default partition, counted up to 100,000: no partition had been made for their day.")

    /// Every family, in the order in which the handbook lists them.
    package static let all = [
        databaseUp, oldestAge, jobLag, keyAge, defaultPartitionRows, acceptance, claimToSettle, ends, attempts, retries,
        putOff, settlements, breakersOpen, breakerOpenings, breakerProbes, breakerTurnedAway, httpRequests,
        httpDuration, databaseWait, hashWait, hashRefusals, rangeChecks, clockAge,
    ]
}

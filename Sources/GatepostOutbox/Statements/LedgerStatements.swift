import GatepostModel
import GatepostStore
import Postgres

/// The statements that read the ledger of one app.
struct LedgerStatements {
    let app: AppID
    /// From when on the app keeps what has ended; older rows are not shown, whether or not they are deleted yet.
    let keptSince: Instant

    /// Reads as of a moment, by the app's own setting.
    init(_ scope: AppScope, at now: Instant) {
        self.init(app: scope.appID, keptSince: now - scope.settings.deliveryHistoryLife)
    }

    /// Reads an app's rows that ended from a moment on.
    init(app: AppID, keptSince: Instant) {
        (self.app, self.keptSince) = (app, keptSince)
    }

    /// The two halves of the view, each sorted and limited before they are put together.
    ///
    /// A page of an app with 500,000 rows otherwise sorts them all: `limit` does not pass through a `union all` whose
    /// rows are sorted above it.
    func list(_ filter: LedgerFilter, after cursor: PageCursor?, limit: Int) -> SQL {
        let halves = Half.allCases.filter { half in filter.state.map { $0.isOwed == (half == .owed) } ?? true }
        let parts = halves.map { "(\(self.half($0, filter, after: cursor, limit: limit)))" as SQL }
        return withLastAttempt(
            """
            select h.id, h.kind, h.state, h.reason, h.user_id, h.flow_id, h.attempt_count, h.created_at, h.due_at,
                   h.expires_at, h.ended_at, h.replay_of, h.trace
              from (\(SQL.joined(parts, separator: " union all "))) as h
             order by created_at desc, id desc
             limit \(limit)
            """)
    }

    /// One message.
    func entry(_ message: MessageID) -> SQL {
        withLastAttempt(
            "select \(Self.columns) from ledger as l where l.app_id = \(app) and l.id = \(message) and \(isKept)")
    }

    /// Every try at a message, oldest first.
    func attempts(at message: MessageID) -> SQL {
        """
        select claim_number, outcome, code, reply, started_at, ended_at
          from delivery_attempts
         where app_id = \(app) and message_id = \(message) and ended_at >= \(keptSince)
         order by ended_at
         limit \(LedgerLimits.attemptsMax)
        """
    }

    /// The messages that owe one anew, oldest first.
    func replays(of message: MessageID) -> SQL {
        """
        select l.id, l.is_owed
          from ledger as l
         where l.app_id = \(app) and l.replay_of = \(message) and \(isKept)
         order by l.created_at, l.id
         limit \(LedgerLimits.replaysMax)
        """
    }

    /// What failed and has not been owed anew: a second run goes on where the first one ended.
    func failed(_ filter: LedgerFilter, ends: [String], limit: Int) -> SQL {
        let kind: SQL = filter.kind.map { "and d.kind = \($0.rawValue)" } ?? ""
        let since: SQL = filter.since.map { "and d.created_at >= \($0)" } ?? ""
        let until: SQL = filter.until.map { "and d.created_at < \($0)" } ?? ""
        return """
            select d.id
              from deliveries as d
             where d.app_id = \(app) and d.outcome <> 'delivered' and d.outcome = any (\(ends)) and \(Self.byTime)
               and d.ended_at >= \(keptSince) and d.route <> \(OutboxMessage.localRoute) \(kind) \(since) \(until)
               and not exists (select from outbox as o where o.app_id = \(app) and o.replay_of = d.id)
               and not exists (select from deliveries as r where r.app_id = \(app) and r.replay_of = d.id)
             order by d.created_at, d.id
             limit \(limit)
            """
    }

    private enum Half: CaseIterable {
        case owed, ended
    }

    /// What is owed is there, however old; of what has ended, that which the app still keeps.
    private var isKept: SQL { "(l.is_owed or l.ended_at >= \(keptSince))" }

    private static let columns: SQL = """
        l.id, l.kind, l.state, l.reason, l.user_id, l.flow_id, l.attempt_count, l.created_at, l.due_at, l.expires_at,
        l.ended_at, l.replay_of, l.trace
        """

    /// What only a list by time says, so that nothing else is planned with its indexes.
    private static let byTime: SQL = "created_at > '-infinity'"

    /// A person has few messages: all of them are found by their index first, since with a limit in sight the planner
    /// would rather walk the whole app by time and hope to meet one.
    private func half(_ half: Half, _ filter: LedgerFilter, after cursor: PageCursor?, limit: Int) -> SQL {
        let which: SQL = half == .owed ? "l.is_owed" : "not l.is_owed and l.ended_at >= \(keptSince)"
        let whole: SQL = "l.app_id = \(app) and \(which)"
        let person = person(half, filter)
        let others = others(filter, after: cursor)
        let found: SQL =
            person.isEmpty
            ? "ledger as l where \(Self.all([whole, Self.byTime] + others))"
            : """
            (select \(Self.columns) from ledger as l where \(Self.all([whole] + person)) offset 0) as l
             where \(Self.all(["true"] + others))
            """
        return """
            select \(Self.columns) from \(found)
             order by l.created_at desc, l.id desc
             limit \(limit)
            """
    }

    /// What is owed is found by address through its user: an index for it would cost every message a fifth more.
    private func person(_ half: Half, _ filter: LedgerFilter) -> [SQL] {
        var conditions: [SQL] = []
        if let user = filter.user { conditions.append("l.user_id = \(user)") }
        guard let address = filter.address else { return conditions }
        if half == .owed {
            conditions.append(
                "l.user_id = (select u.id from users as u where u.app_id = \(app) and u.email = \(address.canonical))")
        }
        conditions.append("l.recipient_hash in (\(SQL.joined(address.hashes.map { "\($0)" as SQL })))")
        return conditions
    }

    private func others(_ filter: LedgerFilter, after cursor: PageCursor?) -> [SQL] {
        var conditions: [SQL] = []
        if let kind = filter.kind { conditions.append("l.kind = \(kind.rawValue)") }
        if let state = filter.state {
            conditions.append("l.state = \(state.rawValue)")
            // In these words, because only then may the index of what was not delivered be used.
            if !state.isOwed, state != .delivered { conditions.append("l.state <> 'delivered'") }
        }
        if let since = filter.since { conditions.append("l.created_at >= \(since)") }
        if let until = filter.until { conditions.append("l.created_at < \(until)") }
        if let cursor { conditions.append("(l.created_at, l.id) < (\(cursor.at), \(cursor.id))") }
        return conditions
    }

    private static func all(_ conditions: [SQL]) -> SQL { .joined(conditions, separator: " and ") }

    private func withLastAttempt(_ entries: SQL) -> SQL {
        """
        select e.id, e.kind, e.state, e.reason, e.user_id, e.flow_id, e.attempt_count, e.created_at, e.due_at,
               e.expires_at, e.ended_at, e.replay_of, e.trace, last.outcome as last_outcome,
               last.code as last_code, last.reply as last_reply
          from (\(entries)) as e
          left join lateral (
                 select a.outcome, a.code, a.reply
                   from delivery_attempts as a
                  where a.app_id = \(app) and a.message_id = e.id and a.ended_at >= \(keptSince)
                  order by a.ended_at desc
                  limit 1) as last on true
         order by e.created_at desc, e.id desc
        """
    }
}

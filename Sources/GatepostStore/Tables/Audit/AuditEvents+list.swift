package import GatepostModel
import Postgres

/// Who did something, as the audit list is asked: one admin or key, or all of a kind.
package enum AuditActorFilter: Sendable, Hashable {
    case one(UUIDBits)
    /// As `audit_events.actor_kind` has it.
    case all(kind: String)

    /// Reads `usr_…`, `apk_…` or a kind; nil for anything else.
    package init?(_ text: String) {
        if let user = UserID(text) {
            self = .one(user.uuid)
        } else if let key = APIKeyID(text) {
            self = .one(key.uuid)
        } else if ["user", "anyone", "operator", "job", "worker", "admin", "api_key"].contains(text) {
            self = .all(kind: text)
        } else {
            return nil
        }
    }
}

/// Which events are asked for; nil for any.
package struct AuditFilter: Sendable, Hashable {
    /// Whom the event is about.
    package var user: UserID?
    /// Nil for any; never empty.
    package var kinds: [String]?
    package var actor: AuditActorFilter?
    /// The range: from `since` on, and before `until`.
    package var since: Instant?
    package var until: Instant?

    /// States what is looked for.
    package init(
        user: UserID? = nil, kinds: [String]? = nil, actor: AuditActorFilter? = nil, since: Instant? = nil,
        until: Instant? = nil
    ) {
        (self.user, self.kinds, self.actor) = (user, kinds, actor)
        (self.since, self.until) = (since, until)
    }

    /// The same filter for what is kept: nothing of before a moment.
    package func from(_ beginning: Instant) -> AuditFilter {
        var kept = self
        kept.since = max(since ?? beginning, beginning)
        return kept
    }

    /// The conditions on a table called `e`, each beginning with `and`.
    var conditions: SQL {
        var conditions: [SQL] = []
        if let user { conditions.append("and e.user_id = \(user)") }
        if let kinds { conditions.append("and e.kind = any (\(kinds))") }
        switch actor {
        case .one(let id): conditions.append("and e.actor_id = \(id)")
        case .all(let kind): conditions.append("and e.actor_kind = \(kind)")
        case nil: break
        }
        if let since { conditions.append("and e.created_at >= \(since)") }
        if let until { conditions.append("and e.created_at < \(until)") }
        return .joined(conditions, separator: " ")
    }
}

/// How far an export has come: behind the last event that it has looked at.
package struct AuditPosition: Sendable, Hashable {
    package let transactionID: UInt64
    package let eventID: AuditEventID

    /// Before every event.
    package static let start = AuditPosition(transactionID: 0, eventID: .init(uuid: UUIDBits(high: 0, low: 0)))

    /// Points behind an event.
    package init(transactionID: UInt64, eventID: AuditEventID) {
        (self.transactionID, self.eventID) = (transactionID, eventID)
    }
}

/// An event that an export has looked at; without a record if its filter leaves it out.
package struct AuditPageRow: Sendable {
    package let position: AuditPosition
    package let event: AuditEventRecord?
}

extension AppBatch {
    /// Events, newest first.
    package mutating func auditEvents(
        _ filter: AuditFilter, after cursor: PageCursor?, limit: Int
    ) -> BatchReading<[AuditEventRecord]> {
        let further: SQL = cursor.map { "and (e.created_at, e.id) < (\($0.at), \($0.id))" } ?? ""
        return read(
            """
            select \(AuditEventRecord.columns)
              from audit_events as e
             where e.app_id = \(scope.appID) \(filter.conditions) \(further)
             order by e.created_at desc, e.id desc
             limit \(limit)
            """
        ) { try $0.map(AuditEventRecord.init) }
    }

    /// The next events of an export, in the order in which their transactions began.
    ///
    /// Only of transactions that are older than every running one: later ones may still be joined by the row of a
    /// slower transaction before them. How many rows are looked at is bounded, not how many match: a filter that fits
    /// nothing must not make one statement read the whole trail.
    ///
    /// - Parameters:
    ///   - position: Where the page before ended.
    ///   - horizon: Only transactions before this one.
    ///   - filter: Which of them are wanted.
    ///   - limit: How many are looked at.
    /// - Returns: Every row that was looked at.
    package mutating func auditPage(
        after position: AuditPosition, before horizon: UInt64, _ filter: AuditFilter, limit: Int
    ) -> BatchReading<[AuditPageRow]> {
        read(
            """
            with e as materialized (
                   select id, created_at, kind, actor_kind, actor_id, user_id, client_id, session_id, flow_id, reason,
                          ip, user_agent, details, transaction_id
                     from audit_events
                    where app_id = \(scope.appID)
                      and (transaction_id, id) > (\(position.transactionID), \(position.eventID))
                      and transaction_id < least(\(horizon), pg_snapshot_xmin(pg_current_snapshot()))
                    order by transaction_id, id
                    limit \(limit))
            select e.transaction_id, coalesce(true \(filter.conditions), false) as is_wanted,
                   \(AuditEventRecord.columns)
              from e
             order by e.transaction_id, e.id
            """
        ) { rows in
            try rows.map { row in
                AuditPageRow(
                    position: AuditPosition(transactionID: try row.get("transaction_id"), eventID: try row.get("id")),
                    event: try row.get("is_wanted") ? AuditEventRecord(row) : nil)
            }
        }
    }
}

import GatepostDev
import Postgres
import Synchronization

/// What the database says in the end.
extension Site {
    /// How long what is owed may take to be delivered once nothing is harmed any more.
    private static let settleBound: Duration = .seconds(180)

    /// Waits until nothing is owed.
    ///
    /// Retries of what met several faults are minutes away; those that no worker holds are made due. What is still
    /// owed in the end, the checker finds.
    func settle() async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + Self.settleBound
        while clock.now < deadline {
            let count = try? await superuser.batch(
                [
                    """
                    update outbox set due_at = now()
                     where not ready and held_at is null
                       and due_at > now() + make_interval(secs => \(Double(Self.lease.seconds + 3)))
                    """,
                    "select count(*)::int8 from outbox",
                ], deadline: .seconds(10))
            if try count?.last?.first?.get(0, as: Int.self) == 0 { return }
            try await Task.sleep(for: .milliseconds(300))
        }
    }

    /// Gives the message of a flow that nobody has claimed yet four seconds to live.
    func shortenLife(ofFlow flow: String) async {
        let results = try? await superuser.batch(
            [
                """
                update outbox set expires_at = now() + interval '4 seconds'
                 where flow_id = \(flow)::uuid and claim_number = 0
                returning replace(id::text, '-', ''), extract(epoch from expires_at)::float8
                """
            ], deadline: .seconds(5))
        for row in results?.first.map(Array.init) ?? [] {
            guard let id = try? row.get(0, as: String.self), let end = try? row.get(1, as: Double.self) else {
                continue
            }
            shortened.withLock { $0[id] = end }
        }
    }

    /// Everything that the checker joins.
    func evidence(deeds: [Deed], stops: [Evidence.Stop]) async throws -> Evidence {
        var evidence = Evidence()
        evidence.deeds = deeds
        evidence.stops = stops
        evidence.receipts = mails.receipts + notices.receipts
        evidence.endpoints = Self.endpoints
        evidence.refusedForGood = mails.mood.refused
        evidence.ledger = try await ledger()
        for row in try await rows(
            """
            select replace(id::text, '-', ''), email, (email_verified_at is not null)::text, state from users
            """, columns: 4)
        {
            evidence.users[row[0]] = Evidence.User(
                email: row[1], isVerified: row[2] == "true", isDeactivated: row[3] == "deactivated")
        }
        evidence.flows = Set(try await rows("select replace(id::text, '-', '') from flows", columns: 1).map { $0[0] })
        evidence.sessions = Set(
            try await rows("select replace(id::text, '-', '') from sessions", columns: 1).map { $0[0] })
        evidence.tokenHashes = Set(
            try await rows("select encode(token_hash, 'hex') from refresh_tokens", columns: 1).map { $0[0] })
        for row in try await rows(
            """
            select kind, replace((case when kind = 'sign_up.started' then flow_id
                                       when kind in ('session.started', 'token.refreshed') then session_id
                                       else user_id end)::text, '-', ''), count(*)::text
              from audit_events
             where kind in ('sign_up.started', 'user.verified', 'sign_in.passed', 'session.started',
                            'token.refreshed', 'user.deactivated')
             group by 1, 2
            """, columns: 3)
        { evidence.audit[Evidence.event(row[0], row[1])] = Int(row[2]) ?? 0 }
        return evidence
    }

    private func ledger() async throws -> [LedgerEntry] {
        let shortened = shortened.withLock { $0 }
        return try await rows(
            """
            select replace(m.id::text, '-', ''), m.kind, m.state, coalesce(m.reason, ''),
                   coalesce(replace(m.flow_id::text, '-', ''), ''), coalesce(replace(m.user_id::text, '-', ''), ''),
                   coalesce(m.payload ->> 'type', ''),
                   coalesce(replace(m.payload -> 'data' ->> 'session_id', '-', ''), ''),
                   coalesce(substring(e.url from '://[^/]+(.*)'), ''),
                   coalesce(extract(epoch from m.expires_at)::text, ''),
                   coalesce(extract(epoch from m.ended_at)::text, '')
              from (select app_id, id, kind, 'owed' as state, null as reason, flow_id, user_id, payload, route,
                           expires_at, null::timestamptz as ended_at
                      from outbox
                     union all
                    select app_id, id, kind, outcome, reason, flow_id, user_id, payload, route, null, ended_at
                      from deliveries) as m
              left join webhook_endpoints as e on e.app_id = m.app_id and m.route like '%' || e.id::text
             where m.kind like 'mail.%' or m.kind like 'webhook.%'
            """, columns: 11
        ).map { row in
            LedgerEntry(
                message: row[0], kind: row[1], state: row[2], reason: row[3], flow: row[4], user: row[5], type: row[6],
                session: row[7], endpoint: row[8], expiresAt: shortened[row[0]] ?? Double(row[9]),
                endedAt: Double(row[10]))
        }
    }

    /// The rows of a statement whose columns are texts.
    private func rows(_ statement: String, columns: Int) async throws -> [[String]] {
        let results = try await superuser.batch([.trusted(statement)], deadline: .seconds(60))
        return try (results.first.map(Array.init) ?? []).map { row in
            try (0..<columns).map { try row.get($0, as: String?.self) ?? "" }
        }
    }
}

import Foundation
import GatepostDev
import Postgres
import Synchronization
import TestSupport
import Testing

/// Where in a delivery the worker is killed.
enum KillStep: String, CaseIterable, Sendable {
    /// In the statement that claims the message.
    case claim
    /// In the look whether the mail's purpose still stands.
    case check
    /// Connected to the relay, before it has greeted.
    case connect
    /// The relay has `MAIL` and has not answered.
    case mail
    case rcpt
    case data
    /// The relay has begun to read the body.
    case body
    /// The relay has the final dot and has not yet taken the mail.
    case finalDot
    /// The relay has taken the mail and has not answered.
    case reply
    /// In the statement that settles.
    case settle

    /// Where the relay stands still, and how.
    var stall: (stage: SMTPScript.Stage, behaviour: SMTPScript.Behaviour)? {
        switch self {
        case .claim, .check, .settle: nil
        case .connect: (.connect, .stall)
        case .mail: (.mail, .stall)
        case .rcpt: (.rcpt, .stall)
        case .data: (.data, .stall)
        case .body: (.body, .stall)
        case .finalDot: (.finalDot, .stall)
        case .reply: (.finalDot, .stallAfterAccepting)
        }
    }

    /// Whether the relay may have the mail although nobody knows: then it comes twice, and only then.
    ///
    /// At the body too: the worker hands all of a small mail to the kernel in one go, the final dot with it, so the
    /// relay reads on when the worker is dead.
    var losesReply: Bool { [.body, .finalDot, .reply, .settle].contains(self) }
}

/// `kill -9` of the worker at each step of a delivery, ten times each.
///
/// The worker is the real program, so its death takes everything with it that a death takes: buffers, threads,
/// connections. What is claimed falls due again when its lease ends, and nobody has to clean up.
@Suite("Kill -9", .timeLimit(.minutes(20)))
struct WorkerKillTests {
    static let killCount = 10
    /// Leases that end soon; one mail may take half of that.
    static let settings = ["GATEPOST_OUTBOX_LEASE_SECONDS": "2", "GATEPOST_SMTP_DEADLINE_SECONDS": "1"]

    @Test(arguments: KillStep.allCases)
    func `a worker killed at any step loses no mail, and repeats one only where the reply was lost`(
        step: KillStep
    ) async throws {
        let isFaulty = Mutex(true)
        let script = SMTPScript { moment in
            guard let stall = step.stall, moment.stage == stall.stage, isFaulty.withLock({ $0 }) else {
                return .proceed
            }
            return stall.behaviour
        }
        try await Installation.running(script: script, settings: Self.settings) { installation in
            try await installation.serve()
            let app = try await installation.makeApp()
            if step == .claim { try await installation.letClaimsStandStill() }
            for number in 1...Self.killCount {
                let signUp = try await app.signUp("person\(number)@example.com")
                let worker = try await kill(at: step, number, in: installation)
                #expect(try await worker.end() == .killed, "\(signUp.email)")
            }
            isFaulty.withLock { $0 = false }
            try await installation.work()
            try await installation.waitUntilNothingIsOwed()

            try await expectNothingLost(after: step, in: installation)
        }
    }

    /// Lets a worker come to the step and kills it there; one in two times, what it had asked of Postgres is undone.
    private func kill(at step: KillStep, _ number: Int, in installation: Installation) async throws -> Program {
        guard let (stage, _) = step.stall else {
            return try await killInStatement(of: step, isUndone: number.isMultiple(of: 2), in: installation)
        }
        let script = installation.relay.script
        let count = script.count(stage)
        let worker = try await installation.work()
        try await script.reached(stage, count: count + 1)
        try await worker.kill()
        // The relay comes to itself and finds nobody there.
        script.release()
        return worker
    }

    /// Holds a lock that the statement needs, and kills the worker while it waits.
    ///
    /// Postgres does not notice the death: the statement goes on when the lock is gone, unless it is undone before.
    private func killInStatement(
        of step: KillStep, isUndone: Bool, in installation: Installation
    ) async throws -> Program {
        let (lock, statement): (SQL, String) =
            switch step {
            case .claim: ("select pg_advisory_xact_lock(1)", "%claim_number = claim_number + 1%")
            case .check: ("lock table flows in access exclusive mode", "%from flows as f%")
            default: ("lock table deliveries in access exclusive mode", "%insert into deliveries%")
            }
        return try await installation.superuser.transaction(deadline: .seconds(60)) { transaction in
            try await transaction.query(lock)
            let worker = try await installation.work()
            let waiting =
                "from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' "
                + "and query like '\(statement)'"
            try await eventually("the worker waits in \(step)") {
                try await installation.count("select count(*) \(waiting)") > 0 ? () : nil
            }
            try await worker.kill()
            if isUndone { try await installation.texts("select pg_terminate_backend(pid)::text \(waiting)") }
            return worker
        }
    }

    private func expectNothingLost(after step: KillStep, in installation: Installation) async throws {
        let copies = Dictionary(grouping: await installation.relay.mails(), by: { $0.recipients.first ?? "" })
        #expect(copies.count == Self.killCount)
        for (recipient, mails) in copies {
            let first = try #require(mails.first)
            #expect(mails.count == 1 || step.losesReply, "\(recipient) got \(mails.count)")
            // The same bytes are the same Message-ID, the same link and the same code.
            #expect(mails.allSatisfy { $0.bytes == first.bytes })
            #expect(first.header("Message-ID")?.isEmpty == false)
            _ = try MailSecrets(first)
        }
        let repeatedCount = copies.values.count { $0.count > 1 }
        #expect(repeatedCount > 0 || !step.losesReply, "no reply was lost at \(step)")

        let ends = try await installation.texts("select outcome || ' ' || count(*) from deliveries group by outcome")
        #expect(ends == ["delivered \(Self.killCount)"])
        #expect(try await installation.count("select count(distinct id) from deliveries") == Self.killCount)
        // A claim that was undone is none; otherwise the mail that came was not the dead worker's.
        let claimNumber = try await installation.count("select max(claim_number) from delivery_attempts")
        #expect(claimNumber > 1 || step == .claim)
    }
}

extension Installation {
    /// Makes each claim wait while somebody holds advisory lock 1.
    ///
    /// A lock on the table would stop the look before the claim, and the claim itself steps over locked rows.
    fileprivate func letClaimsStandStill() async throws {
        try await cluster.postgres.runScript(
            """
            create function stand_still() returns trigger language plpgsql as $$
            begin
              perform pg_advisory_xact_lock_shared(1);
              return new;
            end $$;
            create trigger claims_stand_still before update on outbox for each row
              when (new.claim_number > old.claim_number) execute function stand_still();
            """, database: database)
    }
}

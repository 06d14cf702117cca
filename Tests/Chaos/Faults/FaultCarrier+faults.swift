import Foundation
import GatepostDev
import Postgres
import TestSupport

/// What is done for each kind of fault; it returns when the harm is over and the target may be harmed again.
extension FaultCarrier {
    func carryOut(_ fault: Fault, on targets: Set<Target>) async {
        do {
            switch fault.kind {
            case .killServer, .killWorker, .killPooler, .restartPooler: try await kill(fault, targets)
            case .stopServer, .stopWorker, .stopPooler: await stop(fault, targets)
            case .killPostgres: try await restart(fault, .killed)
            case .crashPostgres: try await restart(fault, .immediate)
            case .restartPostgres: try await restart(fault, .fast)
            case .killBackend, .terminateBackends, .stopBackend: try await harmBackends(fault)
            case .mail: await misbehave(fault, .mail)
            case .webhook: await misbehave(fault, .notice)
            case .clock: try moveClock(fault, targets)
            }
        } catch {
            Chaos.note("\(fault.kind.rawValue) could not be done: \(error)")
        }
    }

    private func program(_ targets: Set<Target>) -> (Supervised, Affected) {
        switch targets.first {
        case .server: (site.server, .api)
        case .worker(let number): (site.workers[number], .delivery)
        default: (site.pooler, .api)
        }
    }

    /// Ends a program, which is started again.
    private func kill(_ fault: Fault, _ targets: Set<Target>) async throws {
        let (program, affected) = program(targets)
        let count = program.readyCount
        let begin = site.successes.now
        guard program.kill(fault.kind == .restartPooler ? SIGTERM : SIGKILL) else { return }
        made(fault)
        try await program.wait(untilReadyAfter: count)
        watch(fault, affected, from: begin, after: site.successes.now)
    }

    /// Makes a program stand still.
    private func stop(_ fault: Fault, _ targets: Set<Target>) async {
        let (program, affected) = program(targets)
        let begin = site.successes.now
        program.signal(SIGSTOP)
        made(fault)
        try? await Task.sleep(for: .seconds(fault.seconds))
        program.signal(SIGCONT)
        let end = site.successes.now
        switch fault.kind {
        case .stopWorker: stopped(Evidence.Stop(begin: begin, end: end))
        case .stopServer: site.successes.held([.api])
        default: site.successes.held([.api, .mail, .notice, .delivery])
        }
        watch(fault, affected, from: end)
    }

    private func restart(_ fault: Fault, _ mode: LocalPostgres.StopMode) async throws {
        let begin = site.successes.now
        made(fault)
        try await site.postgres.restart(mode: mode)
        site.successes.held([.api, .mail, .notice, .delivery])
        watch(fault, .api, from: mode == .killed ? begin : site.successes.now)
    }

    private func harmBackends(_ fault: Fault) async throws {
        let backends =
            try await site.superuser.batch(
                [
                    """
                    select pid from pg_stat_activity
                     where usename = \(Site.loginRole) and backend_type = 'client backend' order by pid
                    """
                ], deadline: .seconds(5)
            ).first.map { try $0.map { try $0.get(0, as: Int32.self) } } ?? []
        guard !backends.isEmpty else { return }
        let chosen = backends[fault.choice % backends.count]
        let begin = site.successes.now
        made(fault)
        switch fault.kind {
        case .killBackend:
            _ = Foundation.kill(chosen, SIGKILL)
            watch(fault, .api, from: begin)
        case .stopBackend:
            await standStill(chosen, seconds: fault.seconds)
            watch(fault, .api, from: site.successes.now)
        default:
            // One, some or all of them.
            let count = [1, 3, backends.count][fault.choice % 3]
            for backend in backends.prefix(count) {
                _ = try await site.superuser.batch(["select pg_terminate_backend(\(backend))"], deadline: .seconds(5))
            }
            watch(fault, .api, from: begin)
        }
    }

    /// Stops a session's process and lets it go on, by a shell that does so even if this process ends meanwhile: nobody
    /// else would, and its server could not stop.
    private func standStill(_ process: Int32, seconds: Double) async {
        let script = "kill -STOP \(process); sleep \(seconds); kill -CONT \(process)"
        let shell = try? await ChildProcess.start(
            "/usr/bin/setsid", ["/bin/sh", "-c", script], writing: .discarded, outlivesUs: true)
        guard shell != nil else { return }
        try? await Task.sleep(for: .seconds(seconds + 0.2))
    }

    private func misbehave(_ fault: Fault, _ what: Affected) async {
        if what == .mail {
            site.mails.mood.set(MailMood.Kind.allCases[fault.choice % MailMood.Kind.allCases.count])
        } else {
            site.notices.set(NoticeSide.Mood.allCases[fault.choice % NoticeSide.Mood.allCases.count])
        }
        made(fault)
        try? await Task.sleep(for: .seconds(fault.seconds))
        if what == .mail {
            site.mails.mood.set(nil)
            site.mails.release()
        } else {
            site.notices.set(nil)
            site.sink.release()
        }
        site.successes.held([what])
        watch(fault, what, from: site.successes.now)
    }

    /// Moves the clock of a program's host, by seconds or by days, forward or back.
    private func moveClock(_ fault: Fault, _ targets: Set<Target>) throws {
        guard case .clock(let number) = targets.first else { return }
        let offsets = [600, -600, 45, -45, 3600, -86_400, 31 * 86_400, 0]
        try site.clocks.set(number, offsetSeconds: offsets[fault.choice % offsets.count])
        made(fault)
        watch(fault, number == 0 ? .api : .delivery, from: site.successes.now)
    }
}

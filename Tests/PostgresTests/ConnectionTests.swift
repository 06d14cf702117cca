import TestSupport
import Testing

@testable import Postgres

/// What only a connection of one's own can show.
@Suite struct ConnectionTests {
    private func open(_ limits: Limits) async throws -> Connection {
        let configuration = PostgresConfiguration(connectionString: try await TestDatabase.connectionString())
        var backoff = Backoff(floor: .milliseconds(1), ceiling: .milliseconds(1))
        return try Connector(configuration).open(limits, &backoff) { false }
    }

    @Test(.disabled(if: LocalPooler.isAsked, LocalPooler.directOnly))
    func `a batch for a server that has gone may be sent again`() async throws {
        try await withPool { observer async throws in
            let limits = Limits(deadline: Deadline(after: ample), cancelFlag: nil, wakeUp: WakeUp())
            // A small batch waits in libpq's buffer, of a large one some has been written.
            for size in [1, 4 << 20] {
                let connection = try await open(limits)
                let backend: Int32 = try connection.run(["select pg_backend_pid()"], commits: true, limits)[0][0].get(0)
                try await observer.run("select pg_terminate_backend(\(backend))")
                try await until(observer, "select not exists (select from pg_stat_activity where pid = \(backend))")
                // The server closes the socket a moment after it has left the list.
                _ = try limits.wait(for: 0, on: connection.socket)
                let failure = #expect(throws: Connection.Failure.self) {
                    try connection.run(["select \([UInt8](repeating: 0, count: size))"], commits: true, limits)
                }
                #expect(failure?.error.kind == .connectionLost(outcomeUnknown: false))
                #expect(failure?.mayRunAgain == true)
                #expect(connection.isBroken)
                #expect(!connection.isReusable)
            }
        }
    }

    @Test func `pauses double up to the ceiling, less a part by chance`() {
        var backoff = Backoff(floor: .milliseconds(100), ceiling: .milliseconds(350))
        for length in [100, 200, 350, 350] {
            let pause = backoff.pause()
            #expect(pause >= .milliseconds(length) / 2 && pause <= .milliseconds(length))
        }
        backoff.reset()
        #expect(backoff.pause() <= .milliseconds(100))
    }

    @Test func `each host of a connection string is a target with its port`() throws {
        func hosts(_ string: String) -> [String]? {
            ConnectionTargets(string)?.targets.map { target in
                func value(_ keyword: String) -> String {
                    target.parameters.first { $0.keyword == keyword }?.value ?? "-"
                }
                return "\(value("host")) \(value("port")) \(value("target_session_attrs"))"
            }
        }
        #expect(
            hosts("postgresql://a:1,b:2/d?target_session_attrs=read-write") == ["a 1 read-write", "b 2 read-write"])
        #expect(hosts("host=a,b port=7") == ["a 7 -", "b 7 -"])
        #expect(hosts("dbname=d") == ["- - -"])
        #expect(
            hosts("host=a,b target_session_attrs=prefer-standby")
                == ["a - standby", "b - standby", "a - any", "b - any"])
        #expect(hosts("host=a nonsense") == nil)
    }

    @Test func `a queue keeps its order when jobs are taken out of it`() {
        var queue = JobQueue()
        let jobs = (0..<300).map { _ in Job(.commit, deadline: Deadline(after: ample)) }
        for job in jobs { queue.append(job) }
        for index in 0..<100 { #expect(queue.popFirst() === jobs[index]) }
        #expect(queue.remove { $0 === jobs[150] || $0 === jobs[5] }.count == 1)
        #expect(queue.count == 199)
        for index in 100..<300 where index != 150 { #expect(queue.popFirst() === jobs[index]) }
        #expect(queue.popFirst() == nil)
        #expect(queue.count == 0)
        queue.append(jobs[0])
        #expect(queue.popFirst() === jobs[0])
    }
}

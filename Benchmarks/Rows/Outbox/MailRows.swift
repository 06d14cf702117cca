import Curl
import Foundation
import GatepostDev
import GatepostModel
import GatepostOutbox

extension Benchmark {
    /// What a worker's memory may grow by under load, in MiB.
    static let growthMax = 64.0

    static let mail = Benchmark(name: "mail") { site, pace in
        let (count, connections, slots) = (pace.seconds * 3000, 16, 400)
        try await site.plantSignUps(count)
        let bytes = try await bytesOfMail(at: site)
        return try await SMTPSink.running { sink in
            let source = SMTPSource(port: sink.port, sessions: connections, bytes: bytes)
            let settings = Site.mailing(to: sink.port, connections: connections, slots: slots)
            return try await site.working(with: settings) { worker in
                var growth = try Growth(of: worker)
                let comparison = try await pace.compare(
                    { try await mailRate(count, at: site, &growth) }, with: { try await source.rate(mails: count) })
                let bare = try await pace.compare(
                    { try await bareRate(count, of: bytes, to: sink.port, connections: connections) },
                    with: { try await source.rate(mails: count) })
                let note = """
                    \(count) verification mails of \(bytes) bytes, owed at once; gatepost work with \(connections) \
                    connections and \(slots) slots; from the commit until all are settled.
                    """
                return [
                    Row(
                        "mail, owed to settled", "/s", comparison, limitIs: "smtp-source -d", must: .atLeast(0.30),
                        note: "\(note) Both send to Postfix's smtp-sink, smtp-source with as many connections."),
                    Row(
                        "mail, our SMTP alone", "/s", bare, limitIs: "smtp-source -d",
                        note: "As many bytes, made once and sent by libcurl over as many connections; no database."),
                    Row(
                        "mail, growth of the worker", "MiB", [growth.mebibytes],
                        limit: (growthMax, "what it may be"), must: .atMost(1),
                        note: "VmRSS over all runs, from idle to its highest. \(note)"),
                ]
            }
        }
    }

    static let slowRelay = Benchmark(name: "slow-relay") { site, pace in
        let milliseconds = 50
        var rows: [Row] = []
        for (connections, slots) in [(Configuration().smtpConnections, Configuration().outboxSlots), (96, 400)] {
            let limit = Double(connections) * 1000 / Double(milliseconds)
            let count = Int(limit) * pace.seconds
            if rows.isEmpty { try await site.plantSignUps(96 * 1000 / milliseconds * pace.seconds) }
            let rates = try await Sink.running(thinking: milliseconds) { sink in
                let settings = Site.mailing(to: sink.mailPort, connections: connections, slots: slots)
                return try await site.working(with: settings) { worker in
                    var (growth, rates) = (try Growth(of: worker), [Double]())
                    _ = try await mailRate(count, at: site, &growth)
                    for _ in 0..<pace.runs { rates.append(try await mailRate(count, at: site, &growth)) }
                    return rates
                }
            }
            rows.append(
                Row(
                    "mail, relay thinks \(milliseconds) ms, \(connections) connections", "/s", rates,
                    limit: (limit, "connections / \(milliseconds) ms"), must: .atLeast(0.75),
                    note: "\(count) mails, owed at once; gatepost work with \(slots) slots, a relay of our own."))
        }
        return rows
    }

    /// Mails a second, from the commit that owes them until all are settled.
    private static func mailRate(_ count: Int, at site: Site, _ growth: inout Growth) async throws -> Double {
        try await Gauge.on(site) { gauge in
            try await site.oweMails(count)
            let time = try await gauge.untilSettled(within: .seconds(300)) { try growth.look() }
            let failures = try await gauge.count(of: VerificationMail.kind.rawValue, endingOtherThan: "delivered")
            guard failures == 0 else { throw Program.Failed(description: "\(failures) mails were not delivered") }
            return Double(count) / (time / .seconds(1))
        }
    }

    /// Mails a second where nothing is done but to send: one finished mail, as often as is asked.
    private static func bareRate(
        _ count: Int, of bytes: Int, to port: Int, connections: Int
    ) async throws -> Double {
        var limits = SMTPPool.Limits()
        limits.connectionsMax = connections
        let pool = SMTPPool(relay: SMTPRelay(host: "127.0.0.1", port: UInt16(port), security: .none), limits: limits)
        let line = Array("A line of a mail, of as many bytes as it takes to make the mail as long as ours is.\r\n".utf8)
        let body = Array(repeatElement(line, count: bytes / line.count + 1).joined().prefix(bytes - 2)) + [13, 10]
        let mail = try SMTPMessage(
            sender: Site.sender, recipient: "ada@users.example", bytes: Array("Subject: x\r\n\r\n".utf8) + body)
        let clock = ContinuousClock()
        let start = clock.now
        let sentCount = await withTaskGroup(of: Int.self) { group in
            // Two for each connection: one is sent while the next one waits at hand.
            for worker in 0..<connections * 2 {
                group.addTask {
                    var accepted = 0
                    for number in 0..<count where number % (connections * 2) == worker {
                        accepted += await pool.send(mail, deadline: .seconds(30)).outcome == .accepted ? 1 : 0
                    }
                    return accepted
                }
            }
            return await group.reduce(0, +)
        }
        let time = clock.now - start
        await pool.shutdown()
        guard sentCount == count else { throw Program.Failed(description: "\(count - sentCount) mails were not sent") }
        return Double(count) / (time / .seconds(1))
    }

    /// How long a verification mail is.
    private static func bytesOfMail(at site: Site) async throws -> Int {
        try await SMTPServer.running { relay in
            try await site.working(with: Site.mailing(to: relay.port)) { _ in
                try await site.oweMails(1)
                let bytes = try await relay.waitForMails(count: 1, within: .seconds(30))[0].bytes.count
                try await Gauge.on(site) { _ = try await $0.untilSettled(within: .seconds(30)) }
                return bytes
            }
        }
    }
}

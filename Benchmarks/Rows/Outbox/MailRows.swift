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
                let note = """
                    \(count) verification mails of \(bytes) bytes, owed at once; gatepost work with \(connections) \
                    connections and \(slots) slots; from the commit until all are settled.
                    """
                return [
                    Row(
                        "mail, owed to settled", "/s", comparison, limitIs: "smtp-source -d", must: .atLeast(0.30),
                        note: "\(note) Both send to Postfix's smtp-sink, smtp-source with as many connections."),
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

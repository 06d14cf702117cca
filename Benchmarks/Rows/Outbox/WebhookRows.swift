import GatepostDev
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore

extension Benchmark {
    static let webhooks = Benchmark(name: "webhooks") { site, pace in
        let (endpoints, slots, connections) = (16, 400, 64)
        let each = pace.seconds * 3000 / endpoints
        return try await Sink.running(thinking: 0) { sink in
            for _ in 0..<endpoints { try await site.plantEndpoint(sink.url("takes"), in: try await site.scope()) }
            return try await site.working(with: Site.posting(slots: slots)) { worker in
                var growth = try Growth(of: worker)
                let comparison = try await pace.compare(
                    {
                        try await Gauge.on(site) { gauge in
                            try await site.oweNotices(each)
                            let time = try await gauge.untilSettled(within: .seconds(300)) { try growth.look() }
                            try await gauge.requireDelivered()
                            return Double(each * endpoints) / (time / .seconds(1))
                        }
                    },
                    with: {
                        try await Wrk.rate(
                            sink.url("takes"), connections: connections, seconds: pace.seconds, request: post)
                    })
                let note = """
                    \(each * endpoints) notices to \(endpoints) endpoints of one receiver, owed at once; gatepost work \
                    with \(slots) slots; from the commit until all are settled.
                    """
                return [
                    Row(
                        "webhook, owed to settled", "/s", comparison, limitIs: "wrk", must: .atLeast(0.15),
                        note: "\(note) wrk posts as much to the same receiver, \(connections) connections."),
                    Row(
                        "webhook, growth of the worker", "MiB", [growth.mebibytes],
                        limit: (growthMax, "what it may be"), must: .atMost(1),
                        note: "VmRSS over all runs, from idle to its highest. \(note)"),
                ]
            }
        }
    }

    static let badEndpoints = Benchmark(name: "bad-endpoints") { site, pace in
        let (thinks, slots) = (20, 64)
        let count = pace.seconds * 200
        return try await Sink.running(thinking: thinks) { sink in
            let healthy = try await site.plantApp()
            try await site.plantEndpoint(sink.url("thinks"), in: healthy)
            for bad in ["hangs", "endless", "redirects"] {
                try await site.plantEndpoint(sink.url(bad), in: try await site.plantApp())
            }
            // A port that somebody has just stopped listening at.
            let dead = try await SMTPServer.running { $0.port }
            try await site.plantEndpoint("http://127.0.0.1:\(dead)/dead", in: try await site.plantApp())
            func rate(besideBad: Bool, _ look: () throws -> Void) async throws -> Double {
                try await Gauge.on(site) { gauge in
                    try await site.runScript("truncate outbox")
                    if besideBad {
                        try await site.oweNotices(count)
                    } else {
                        try await site.oweNotices(count, endingWith: "/thinks")
                    }
                    let time = try await gauge.untilSettled(of: healthy.appID, within: .seconds(300), look)
                    return Double(count) / (time / .seconds(1))
                }
            }
            return try await site.working(with: Site.posting(slots: slots)) { worker in
                var growth = try Growth(of: worker)
                let comparison = try await pace.compare(
                    { try await rate(besideBad: true) { try growth.look() } },
                    with: { try await rate(besideBad: false) {} })
                let note = """
                    \(count) notices to each, owed at once; the healthy endpoint thinks \(thinks) ms, the others \
                    refuse the connection, hang, never end and redirect, each of an app of its own; gatepost work \
                    with \(slots) slots.
                    """
                return [
                    Row(
                        "healthy endpoint beside four bad ones", "/s", comparison, limitIs: "alone",
                        must: .atLeast(0.90), note: note),
                    Row(
                        "bad endpoints, growth of the worker", "MiB", [growth.mebibytes],
                        limit: (growthMax, "what it may be"), must: .atMost(1), note: note),
                ]
            }
        }
    }

    /// What Gatepost sends is a little longer: three headers of a signature.
    private static let post = """
        wrk.method = 'POST'
        wrk.headers['Content-Type'] = 'application/json'
        wrk.headers['User-Agent'] = 'Gatepost-Webhooks/1'
        wrk.headers['webhook-id'] = 'msg_01h455vb4pex5vsknk084sn02q'
        wrk.headers['webhook-timestamp'] = '1767225600'
        wrk.headers['webhook-signature'] = 'v1,\(String(repeating: "A", count: 44))'
        wrk.body = '\(String(repeating: "x", count: 200))'

        """
}

extension Gauge {
    /// Throws unless every notice that ended was delivered.
    func requireDelivered() async throws {
        let failures = try await count(of: WebhookNotice.kind.rawValue, endingOtherThan: "delivered")
        guard failures == 0 else { throw Program.Failed(description: "\(failures) notices were not delivered") }
    }
}

extension Site {
    /// The settings of `gatepost work` where notices go to this machine.
    static func posting(slots: Int) -> [String: String] {
        mailing(to: 1, slots: slots).merging(["GATEPOST_PRIVATE_DESTINATIONS": "127.0.0.0/8"]) { $1 }
    }

    /// Makes an app.
    func plantApp() async throws -> AppScope {
        try await withDatabase { database in
            let flow = AppFlow(database: database, clock: HostClock(), random: SystemRandom(), keys: try KeyRing(keys))
            guard let scope = try await database.scope(of: try await flow.createApp(named: "Benchmark")) else {
                throw Program.Failed(description: "no app")
            }
            return scope
        }
    }

    /// Makes an endpoint that wants to be told of new users.
    func plantEndpoint(_ text: String, in scope: AppScope) async throws {
        guard let url = WebhookURL(text, allowsPrivate: true) else {
            throw Program.Failed(description: "no URL for an endpoint: \(text)")
        }
        let wanted = AdminWebhookFlow.Wanted(url: url, description: "", eventTypes: [.userCreated])
        try await withDatabase { database in
            let flow = AdminWebhookFlow(
                database: database, clock: HostClock(), random: SystemRandom(), keys: try KeyRing(keys),
                allowsPrivate: true)
            guard case .done = try await flow.create(wanted, for: .benchmark, in: scope) else {
                throw Program.Failed(description: "the endpoint was refused")
            }
        }
    }
}

extension AdminRequest {
    /// A request of somebody who may do anything.
    static var benchmark: AdminRequest {
        let key = APIKeyID.make(at: HostClock().now, random: SystemRandom())
        return AdminRequest(AdminPrincipal(.apiKey(key, madeBy: nil), grants: []), from: .none)
    }
}

import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore

extension Benchmark {
    static let signInPage = Benchmark(name: "sign-in-page") { site, pace in
        let random = SystemRandom()
        let (id, browser) = (
            AuthorizationRequestID.make(at: HostClock().now, random: random),
            OneTimeToken.make(.browser, random: random)
        )
        let asking = try site.asking()
        let new = NewAuthorizationRequest(
            id: id, clientID: asking.id, redirectURI: asking.redirectURI, challenge: asking.challenge, holder: browser,
            at: HostClock().now)
        let scope = try await site.scope()
        try await site.withDatabase { database in
            try await database.batch(in: scope) { $0.insertAuthorizationRequest(new) }
        }
        let tokens = BrowserTokens(browser: browser, session: nil)
        let pgbench = try await site.pgbench { database, scope in
            let flow = PageVisitFlow(database: database, clock: HostClock())
            guard try await flow.look(at: id, by: tokens, in: scope)?.request != nil else {
                throw Program.Failed(description: "the request does not wait")
            }
        }
        let comparison = try await site.running(["serve"]) { _ in
            try await site.compare(
                at: pace,
                {
                    try await Wrk.rate(
                        "\(site.baseURL)/apps/\(site.app)/sign-in?request=\(id)", connections: 32,
                        seconds: pace.seconds,
                        request: """
                            wrk.headers['Cookie'] = \
                            '__Host-gatepost-browser-\(site.app)=\(browser.secret.revealed)'

                            """)
                }, with: { try await pgbench.rate(seconds: pace.seconds) })
        }
        return [
            Row(
                "HTTP sign-in page", "/s", comparison, limitIs: "pgbench",
                note: """
                    gatepost serve, wrk with 32 connections: the page for a client that waits, rendered from its \
                    template each time. pgbench runs its one batch.
                    """)
        ]
    }
}

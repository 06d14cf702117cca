import Curl
import Foundation
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// The way of a browser over the hosted pages to a provider and back.
@Suite("Pages of a sign-in with a provider")
struct ProviderPagesTests {
    /// A browser: what it holds of the app.
    private struct Browser: Sendable {
        let server: TestServer
        var cookies: [String: String] = [:]

        mutating func send(_ method: String, _ path: String, form: String? = nil, from site: String = "same-origin")
            async throws -> HTTPResponse
        {
            let path = path.replacing(TestFlows.baseURL, with: "")
            // A form of ours carries what the browser's cookie says; nobody else's does.
            let token = cookies["__Host-gatepost-browser-\(server.app.id)"]
                .flatMap { OneTimeToken(.browser, presented: $0)?.formToken }
            let form = form.map { site == "cross-site" ? $0 : $0 + "&form_token=\(token ?? "")" }
            let cookie = cookies.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ")
            let answer = try await server.send(
                method, path,
                headers: [
                    "Cookie": site == "cross-site" ? "" : cookie, "Sec-Fetch-Site": site,
                    "Content-Type": "application/x-www-form-urlencoded",
                ], body: form.map { Array($0.utf8) })
            for line in answer.headers(named: "Set-Cookie") {
                let pair = line.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1).map(String.init)
                cookies[pair[0]] = pair.count > 1 ? pair[1] : ""
            }
            return answer
        }
    }

    /// Runs a test with a provider and a browser that is on the app's sign-in page.
    private func running(
        _ body: (inout Browser, TestProvider, _ button: String) async throws -> Void
    ) async throws {
        try await TestServer.running(providers: try .loopback()) { server in
            let clock = server.app.clock
            let provider = TestProvider { clock.now.seconds }
            try await HTTPSink.running({ provider.answer($0) }) { sink in
                try await server.app.addProvider(issuer: "http://127.0.0.1:\(sink.port)") { $0.label = "Up & <away>" }
                var browser = Browser(server: server)
                let query =
                    "response_type=code&client_id=\(server.app.client)&state=of-the-client"
                    + "&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&code_challenge_method=S256"
                    + "&code_challenge=\(try TestFlows.challenge().text)"
                let sent = try await browser.send("GET", "/apps/\(server.app.id)/oauth/authorize?\(query)")
                let page = try await browser.send("GET", try #require(sent.header("Location")))
                #expect(page.text.contains("Up &amp; &lt;away&gt;"))
                let button = try #require(
                    page.text.firstMatch(of: /action="([^"]*\/providers\/upstream\/start[^"]*)"/)?.1)
                try await body(&browser, provider, String(button).replacing("&amp;", with: "&"))
            }
        }
    }

    private func query(_ parameters: [String: String]) -> String {
        parameters.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
    }

    private func callback(_ browser: Browser) -> String { "/apps/\(browser.server.app.id)/providers/upstream/callback" }

    @Test func `the button leads there, and the answer back to the client with a code`() async throws {
        try await running { browser, provider, button async throws in
            let there = try await browser.send("POST", button, form: "")
            #expect(there.status == 303, "\(there.text)")
            let parameters = provider.signIn(at: try #require(there.header("Location")))
            let back = try await browser.send("GET", "\(callback(browser))?\(query(parameters))")
            #expect(back.status == 303, "\(back.text)")
            let location = try #require(back.header("Location"))
            #expect(location.hasPrefix("https://app.example/callback?code=gac_") && location.contains("of-the-client"))
            #expect(browser.cookies.keys.contains { $0.hasPrefix("__Host-gatepost-session-") })
            #expect(back.header("Cache-Control") == "no-store")
        }
    }

    @Test func `a form of the provider's own site is continued by GET, and only there used up`() async throws {
        try await running { browser, provider, button async throws in
            let there = try await browser.send("POST", button, form: "")
            let parameters = provider.signIn(at: try #require(there.header("Location")))
            for _ in 1...2 {
                let form = query(parameters) + "&user=%7B%7D"
                let posted = try await browser.send("POST", callback(browser), form: form, from: "cross-site")
                #expect(posted.status == 303 && posted.header("Set-Cookie") == nil, "\(posted.text)")
                let location = try #require(posted.header("Location"))
                #expect(location.hasPrefix("\(callback(browser))?") && !location.contains("user="))
                #expect(TestProvider.query(of: location) == parameters)
            }
            let back = try await browser.send("GET", "\(callback(browser))?\(query(parameters))")
            #expect(back.header("Location")?.hasPrefix("https://app.example/callback?code=gac_") == true)
        }
    }

    @Test func `another site begins nothing, and whoever only looks uses nothing up`() async throws {
        try await running { browser, provider, button async throws in
            let foreign = try await browser.send("POST", button, form: "", from: "cross-site")
            #expect(foreign.status == 403)
            let there = try await browser.send("POST", button, form: "")
            let parameters = provider.signIn(at: try #require(there.header("Location")))
            let looked = try await browser.send("HEAD", "\(callback(browser))?\(query(parameters))")
            #expect(looked.status == 200 && provider.lastToken == nil)
            let back = try await browser.send("GET", "\(callback(browser))?\(query(parameters))")
            #expect(back.status == 303)
        }
    }

    @Test func `an address that has an account gets a page that leads to the sign-in`() async throws {
        try await running { browser, provider, button async throws in
            try await browser.server.flows.verifiedUser(try #require(EmailAddress("ada@example.com")))
            let there = try await browser.send("POST", button, form: "")
            let parameters = provider.signIn(at: try #require(there.header("Location")))
            let page = try await browser.send("GET", "\(callback(browser))?\(query(parameters))")
            #expect(page.status == 200 && page.text.contains("ada@example.com"))
            #expect(page.text.contains("Up &amp; &lt;away&gt;") && !page.text.contains("<away>"))
            let signIn = try #require(page.text.firstMatch(of: /href="([^"]*\/sign-in\?request=arq_[^"]*)"/)?.1)
            #expect(try await browser.send("GET", String(signIn)).status == 200)
        }
    }

    @Test func `what does not work is a page that leads back to the sign-in, and says nothing of why`() async throws {
        try await running { browser, provider, button async throws in
            provider.behave { $0.signing = .none }
            let there = try await browser.send("POST", button, form: "")
            let parameters = provider.signIn(at: try #require(there.header("Location")))
            let page = try await browser.send("GET", "\(callback(browser))?\(query(parameters))")
            #expect(page.status == 400 && page.text.contains("/sign-in?request=arq_"))
            #expect(page.header("Content-Type")?.hasPrefix("text/html") == true)
            for word in ["algorithm", "id_token"] { #expect(!page.text.contains(word)) }
        }
    }

    @Test func `a provider of another app, or none, is a page too`() async throws {
        try await running { browser, _, button async throws in
            for (path, code) in [(button.replacing("upstream", with: "nobody"), 404), (callback(browser), 400)] {
                let page = try await browser.send("GET", path)
                #expect(page.status == code, "\(path)")
                #expect(page.header("Content-Type")?.hasPrefix("text/html") == true)
            }
        }
    }

    @Test func `a suspended app takes no answer`() async throws {
        try await running { browser, provider, button async throws in
            let there = try await browser.send("POST", button, form: "")
            let parameters = provider.signIn(at: try #require(there.header("Location")))
            try await browser.server.tamper(
                "update apps set state = 'suspended', suspended_at = now() where id = \(browser.server.sqlID)")
            // A node remembers an app for a second; looking uses nothing up.
            var page = try await browser.send("HEAD", callback(browser))
            for _ in 1...5000 where page.status != 403 { page = try await browser.send("HEAD", callback(browser)) }
            page = try await browser.send("GET", "\(callback(browser))?\(query(parameters))")
            #expect(page.status == 403)
            #expect(provider.lastToken == nil)
        }
    }
}

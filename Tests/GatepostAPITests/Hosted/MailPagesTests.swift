import Curl
import GatepostModel
import GatepostOutbox
import TestSupport
import Testing

/// Signing in by mail, reset and the links in mails, on the hosted pages.
@Suite("Mail pages")
struct MailPagesTests {
    static let newPassword = "a lighthouse above seven cold harbours"

    /// A browser that a client has sent to the page, and that has asked for a mail.
    private static func asked(
        _ server: TestServer, _ email: String = "ada@example.com"
    ) async throws -> (browser: TestBrowser, code: String, mailed: TestServer.Mailed) {
        let browser = TestBrowser(server)
        let page = try #require(try await browser.open(server.authorizePath()).location)
        let query = page.split(separator: "?").last.map { "?\($0)" } ?? ""
        let answer = try await browser.submit("\(server.hosted)/sign-in/email\(query)", ["email": email])
        let code = try #require(answer.location, "\(answer.status) \(answer.text)")
        let flow = try #require(answer.parameter("flow").flatMap(FlowID.init))
        let secrets = server.flows.secrets(of: flow, .emailSignIn)
        return (
            browser, code,
            TestServer.Mailed(
                flow: flow, token: "", code: secrets.code.revealed,
                link: "\(server.hosted)/links/\(secrets.linkToken.secret.revealed)")
        )
    }

    @Test func `the code typed on the page sends the browser to the client`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (browser, code, mailed) = try await Self.asked(server)
            #expect(try await browser.open(code).text.contains("ada@example.com"))

            let wrong = try await browser.submit(code, ["code": "00000000"])
            #expect(wrong.status == 422 && wrong.text.contains("This code is wrong."))
            let answer = try await browser.submit(code, ["code": mailed.code])

            #expect(answer.status == 303 && answer.parameter("state") == "xyz")
            let exchanged = try await server.exchange(try #require(answer.parameter("code")))
            #expect(exchanged.status == 200)
            #expect(browser.cookie("__Host-gatepost-session") != nil)
            #expect(browser.cookie("__Host-gatepost-device") != nil)
        }
    }

    @Test func `the link signs in with one click where it began, and tells any other device what to do`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (browser, _, mailed) = try await Self.asked(server)
            let phone = TestBrowser(server)
            let told = try await phone.open(mailed.link, accepting: "de")
            #expect(told.status == 200 && told.text.contains("Code aus derselben E-Mail"))
            #expect(!told.text.contains("<form"))

            let page = try await browser.open(mailed.link)
            #expect(page.text.contains("<form") && page.text.contains("ada@example.com"))
            #expect(page.header("Content-Security-Policy")?.contains("form-action 'self' https:") == true)
            let answer = try await browser.submit(mailed.link, [:])
            #expect(answer.parameter("state") == "xyz" && answer.parameter("code") != nil)
            #expect(browser.cookie("__Host-gatepost-device") != nil)
            #expect(try await browser.open(mailed.link).status == 410)
        }
    }

    /// supabase #1214; a scanner that runs scripts has no cookie of the browser that began.
    @Test func `supabase 1214: GET, HEAD and a form from a scanner use no link up`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (browser, _, mailed) = try await Self.asked(server)
            let before = try await server.state()
            let scanner = TestBrowser(server)
            for _ in 0..<3 { #expect(try await scanner.open(mailed.link).status == 200) }
            #expect(try await server.send("HEAD", mailed.link).status == 200)
            #expect(try await scanner.submit(mailed.link, [:]).text.contains("Go back to where you began"))
            #expect(try await scanner.submit(mailed.link, ["password": "x"]).location == nil)
            #expect(try await server.state() == before)
            #expect(try await browser.submit(mailed.link, [:]).parameter("code") != nil)
        }
    }

    @Test func `a known and an unknown address see the same pages`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            var pages: [String] = []
            for email in ["ada@example.com", "eve@example.com"] {
                let (browser, code, _) = try await Self.asked(server, email)
                let open = try await browser.open(code).text
                let wrong = try await browser.submit(code, ["code": "00000000"]).text
                pages.append(
                    (open + wrong).replacing(email, with: "somebody").replacing(#/arq_[a-z0-9]+/#, with: "arq_")
                        .replacing(#/"form_token" value="[^"]+"/#, with: ""))
            }
            #expect(pages[0] == pages[1])
        }
    }

    @Test func `an app's own screens began: the link says to type the code there`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let mailed = try server.mailed(try await server.askEmailSignIn(), .emailSignIn)
            let cookie = "__Host-gatepost-\(server.app.id)=\(mailed.token)"
            let before = try await server.state()
            let open = try await server.send("GET", mailed.link, headers: ["Cookie": cookie])
            #expect(open.status == 200 && open.text.contains("Go back to where you began"))
            let answer = try await server.submit(mailed.link, form: [:], headers: ["Cookie": cookie])
            #expect(answer.status == 200 && answer.location == nil)
            #expect(try await server.state() == before)
        }
    }

    @Test func `a reset on the pages: by the code where it began, by the link anywhere`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let browser = TestBrowser(server)
            for byLink in [false, true] {
                let asked = try await browser.submit(
                    "\(server.hosted)/password-reset", ["email": "ada@example.com"])
                let code = try #require(asked.location)
                let flow = try #require(asked.parameter("flow").flatMap(FlowID.init))
                let secrets = server.flows.secrets(of: flow, .passwordReset)
                let link = "\(server.hosted)/links/\(secrets.linkToken.secret.revealed)"
                #expect(try await browser.open(code).status == 200)
                let (device, path) = byLink ? (TestBrowser(server), link) : (browser, code)
                #expect(try await device.open(path).text.contains(#"autocomplete="new-password""#))
                let typed = byLink ? "" : secrets.code.revealed
                let weak = try await device.submit(path, ["code": typed, "password": "short"])
                #expect(weak.status == 422 && weak.text.contains("15"))

                let done = try await device.submit(
                    path, ["code": typed, "password": byLink ? TestServer.password : Self.newPassword])

                #expect(done.status == 200 && done.text.contains("Your password is changed"))
                #expect(device.cookie("__Host-gatepost-session") == nil)
                #expect(try await device.open(link).status == 410)
            }
            #expect(try await server.signIn().status == 200)
        }
    }

    @Test func `a change of address and its undoing, by their links`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let tokens = try await server.session()
            let fields = #"{"email":"lovelace@example.org","password":"\#(TestServer.password)"}"#
            let mailed = try server.mailed(
                try await server.send("POST", "\(server.api)/me/email-changes", as: tokens.access, json: fields),
                .emailChange)
            let stranger = TestBrowser(server)
            #expect(try await stranger.open(mailed.link).text.contains("Go back to where you began"))
            #expect(try await stranger.submit(mailed.link, [:]).text.contains("Go back to where you began"))
            let changed = try await server.send(
                "POST", "\(server.api)/me/email-changes/verify", as: tokens.access,
                json: #"{"flow":"\#(mailed.flow)","flow_token":"\#(mailed.token)","code":"\#(mailed.code)"}"#)
            #expect(changed.status == 200)

            let notices = try await server.app.ledger().filter { $0.kind == "mail.email_changed" }
            let undoing = try #require(notices.first?.flowID)
            let token = server.flows.secrets(of: undoing, .emailChangeUndo).linkToken.secret.revealed
            let link = "\(server.hosted)/links/\(token)"
            let before = try await server.state()
            #expect(try await stranger.open(link).text.contains("ada@example.com"))
            #expect(try await stranger.submit(link, [:]).status == 422)
            #expect(try await server.state() == before)
            let undone = try await stranger.submit(link, ["password": Self.newPassword])
            #expect(undone.status == 200 && undone.text.contains("You have your address back"))
            #expect(try await server.signIn(password: Self.newPassword).status == 200)
        }
    }
}

import Curl
import GatepostModel
import TestSupport
import Testing

/// What somebody changes on the pages of their account.
@Suite("Account changes on pages")
struct AccountChangeTests {
    private static let newPassword = "a lighthouse above seven cold harbours"

    private static func signedIn(
        _ server: TestServer, _ email: String = "ada@example.com", password: String = TestServer.password
    ) async throws -> TestBrowser {
        let browser = TestBrowser(server)
        let answer = try await browser.submit("\(server.hosted)/sign-in", ["email": email, "password": password])
        #expect(answer.location == "\(server.hosted)/account", "\(answer.text)")
        return browser
    }

    @Test func `the password is changed by the old one, and other sessions end if that is wanted`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let tokens = try await server.session()
            let browser = try await Self.signedIn(server)
            let path = "\(server.hosted)/account/password"
            #expect(try await browser.open(path).text.contains("Sign out everywhere else"))
            let wrong = try await browser.submit(path, ["current": "nine", "password": Self.newPassword])
            #expect(wrong.status == 422 && wrong.text.contains("This password is wrong."))
            let weak = try await browser.submit(path, ["current": TestServer.password, "password": "short"])
            #expect(weak.status == 422 && weak.text.contains("at least 15 characters"))
            #expect(try await browser.submit(path, ["password": Self.newPassword]).status == 422)

            let kept = try await browser.submit(path, ["current": TestServer.password, "password": Self.newPassword])
            #expect(kept.location == "\(server.hosted)/account?done=password", "\(kept.text)")
            #expect(try await server.me(tokens.access).status == 200)
            let again = try await browser.submit(
                path, ["current": Self.newPassword, "password": TestServer.password, "end_others": "yes"])
            #expect(again.status == 303)
            #expect(try await server.me(tokens.access).problem == .sessionEnded)
            let page = try await browser.open(try #require(again.location))
            #expect(page.status == 200 && page.text.contains("Your password is changed."))
            #expect(try await server.signIn().status == 200)
        }
    }

    @Test func `the address is changed by the code that went to the new one, in the browser that asked`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            try await server.verifiedUser("eve@example.com")
            let browser = try await Self.signedIn(server)
            let path = "\(server.hosted)/account/email"
            #expect(try await browser.open(path).text.contains("ada@example.com"))
            for (email, password) in [
                ("new@example.com", "wrong"), ("nobody", TestServer.password), ("ada@example.com", TestServer.password),
                ("", TestServer.password),
            ] {
                #expect(
                    try await browser.submit(path, ["email": email, "password": password]).status == 422, "\(email)")
            }
            // An address that is taken is answered alike.
            let taken = try await browser.submit(path, ["email": "eve@example.com", "password": TestServer.password])
            #expect(taken.location?.hasPrefix("\(path)/code?flow=") == true)

            let asked = try await browser.submit(path, ["email": "new@example.com", "password": TestServer.password])
            let code = try #require(asked.location)
            let flow = try #require(asked.parameter("flow").flatMap(FlowID.init))
            let secrets = server.flows.secrets(of: flow, .emailChange)
            #expect(try await TestBrowser(server).open(code).status == 400)
            #expect(try await browser.open(code).text.contains("new@example.com"))
            #expect(try await browser.submit(code, ["code": "00000000"]).status == 422)
            let done = try await browser.submit(code, ["code": secrets.code.revealed])
            #expect(done.location == "\(server.hosted)/account?done=email", "\(done.text)")
            #expect(try await browser.open(try #require(done.location)).text.contains("new@example.com"))
            #expect(try await server.signIn("new@example.com").status == 200)
        }
    }

    @Test func `the link of the new address works in the same browser by one click`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let browser = try await Self.signedIn(server)
            let asked = try await browser.submit(
                "\(server.hosted)/account/email", ["email": "new@example.com", "password": TestServer.password])
            let flow = try #require(asked.parameter("flow").flatMap(FlowID.init))
            let link = server.flows.secrets(of: flow, .emailChange).linkToken.secret.revealed
            let phone = try await TestBrowser(server).open("\(server.hosted)/links/\(link)")
            #expect(!phone.text.contains("<form"))
            #expect(try await browser.submit("\(server.hosted)/links/\(link)", [:]).status == 200)
            #expect(try await browser.open("\(server.hosted)/account").text.contains("new@example.com"))
        }
    }

    @Test func `without a password the mail sets one, and only a fresh sign-in changes the address`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let browser = try await Self.signedIn(server)
            try await server.tamper("delete from credentials where app_id = \(server.sqlID)")
            #expect(try await browser.open("\(server.hosted)/account/password").text.contains("../password-reset"))
            let path = "\(server.hosted)/account/email"
            #expect(try await !browser.open(path).text.contains("type=\"password\""))
            server.app.clock.advance(by: .minutes(11))
            let refused = try await browser.submit(path, ["email": "new@example.com"])
            #expect(refused.status == 403 && refused.text.contains("\(server.hosted)/sign-in?again=1"))
            #expect(try await browser.open("\(server.hosted)/sign-in?again=1").text.contains("ada@example.com"))
            #expect(try await browser.open("\(server.hosted)/sign-in").status == 303)
        }
    }

    @Test func `an identity is unlinked unless it is the last way in, and the page says so in German too`() async throws
    {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let browser = try await Self.signedIn(server)
            let id = try #require(try await server.me(try await server.session().access).field("user.id"))
            try await server.app.addProvider("google", kind: .google, issuer: "https://accounts.google.com")
            let identity = try await server.app.addIdentity(to: id, "1", issuer: "https://accounts.google.com")
            let other = try await server.app.addIdentity(
                to: "\(try await server.flows.verifiedUser(try #require(EmailAddress("eve@example.com"))))", "2",
                issuer: "https://accounts.google.com")
            let path = "\(server.hosted)/account/identities/\(identity)/unlink"
            #expect(try await browser.open("\(server.hosted)/account").text.contains(path))
            let foreign = try await browser.submit("\(server.hosted)/account/identities/\(other)/unlink", [:])
            #expect(foreign.status == 404)

            try await server.tamper("delete from credentials where app_id = \(server.sqlID)")
            let last = try await browser.submit("\(path)?ui_locales=de", [:])
            #expect(last.status == 409 && last.text.contains("Nichts anderes ließe Sie hinein."))
            #expect(last.text.contains("\(server.hosted)/account/sessions/") || last.text.contains(path))
        }
    }

    @Test func `a problem's details are in the reader's language`() async throws {
        try await TestServer.running { server in
            let page = try await server.submit(
                "\(server.hosted)/sign-in", form: ["email": "a", "email": "b"],
                headers: ["Accept-Language": "de", "Sec-Fetch-Site": "same-origin"])
            #expect(page.status == 400 && page.text.contains("Etwas darin kommt zweimal."))
            #expect(!page.text.contains("comes twice"))
            let foreign = try await server.post(
                "\(server.hosted)/sign-in", form: [:],
                headers: ["Accept-Language": "de", "Sec-Fetch-Site": "cross-site"])
            #expect(foreign.text.contains("stammt nicht von einer Seite von uns"))
        }
    }
}

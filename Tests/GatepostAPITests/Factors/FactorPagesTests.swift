import Curl
import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import QRCode
import TestSupport
import Testing

/// The second step of a sign-in in a browser, and the second factor on the account's page.
@Suite("Second factor on pages")
struct FactorPagesTests {
    private static let email = "ada@example.com"
    private static let password = TestFlows.password.revealed

    /// A browser in which the password was right, on its way to a client.
    private static func halfway(_ server: TestServer, _ changes: [String: String?] = [:]) async throws -> TestBrowser {
        let browser = TestBrowser(server)
        let begun = try await browser.open(server.authorizePath(changes))
        let page = try #require(begun.location)
        let answer = try await browser.submit(page, ["email": email, "password": password])
        #expect(answer.location == "\(server.hosted)/sign-in/factor", "\(answer.text)")
        #expect(browser.cookie("__Host-gatepost-session") == nil)
        return browser
    }

    /// The key on a page that sets an authenticator up.
    private static func seed(on page: HTTPResponse) throws -> TOTPSeed {
        let text = try #require(page.text.firstMatch(of: /<p class="address secret">([A-Z2-7 ]+)<\/p>/)).1
        return TOTPSeed(typed: String(text))
    }

    private static func code(_ seed: TOTPSeed, _ server: TestServer) -> String {
        seed.code(of: TOTPSeed.step(at: server.app.clock.now)).revealed
    }

    @Test func `the code of the authenticator leads on to the client`() async throws {
        try await TestServer.running { server in
            let factor = try await server.flows.enrolledUser(.of(Self.email))
            let browser = try await Self.halfway(server)
            let path = "\(server.hosted)/sign-in/factor"
            let page = try await browser.open(path)
            #expect(page.status == 200 && page.text.contains("inputmode=\"numeric\""))
            #expect(try await browser.open(path + "?recovery=1").text.contains("recovery codes"))
            #expect(try await browser.submit(path, [:]).status == 422)
            let wrong = try await browser.submit(path, ["code": "000000"])
            #expect(wrong.status == 422 && wrong.text.contains("This code is wrong."))

            let answer = try await browser.submit(path, ["code": factor.nextCode()])
            #expect(answer.status == 303 && answer.parameter("state") == "xyz", "\(answer.text)")
            let tokens = try TestServer.Tokens(try await server.exchange(try #require(answer.parameter("code"))))
            #expect(try await server.me(tokens.access).status == 200)
            #expect(browser.cookie("__Host-gatepost-session") != nil)
            #expect(browser.cookie("__Host-gatepost-factor") == nil)
            #expect(try await browser.open(path).status == 400)
        }
    }

    @Test func `a recovery code does, once`() async throws {
        try await TestServer.running { server in
            let factor = try await server.flows.enrolledUser(.of(Self.email))
            let recovery = try #require(factor.recoveryCodes.first)
            let path = "\(server.hosted)/sign-in/factor"
            let answer = try await Self.halfway(server).submit(path + "?recovery=1", ["code": recovery.uppercased()])
            #expect(answer.parameter("code") != nil, "\(answer.text)")
            let again = try await Self.halfway(server).submit(path + "?recovery=1", ["code": recovery])
            #expect(again.status == 422)
        }
    }

    @Test func `five wrong codes end the sign-in, and the pages of another browser show nothing`() async throws {
        try await TestServer.running { server in
            let factor = try await server.flows.enrolledUser(.of(Self.email))
            let browser = try await Self.halfway(server)
            let path = "\(server.hosted)/sign-in/factor"
            #expect(try await TestBrowser(server).open(path).status == 400)
            #expect(try await TestBrowser(server).submit(path, ["code": factor.nextCode()]).status == 400)
            for _ in 0..<5 { #expect(try await browser.submit(path, ["code": "000000"]).status == 422) }
            let over = try await browser.submit(path, ["code": factor.nextCode()])
            #expect(over.status == 400, "\(over.text)")
            #expect(browser.cookie("__Host-gatepost-session") == nil)
        }
    }

    @Test func `who is asked by a client and has none sets one up on the way`() async throws {
        try await TestServer.running { server in
            try await server.flows.verifiedUser(.of(Self.email))
            let browser = try await Self.halfway(server, ["acr_values": "mfa", "scope": "openid"])
            let path = "\(server.hosted)/sign-in/factor"
            let page = try await browser.open(path)
            #expect(page.text.contains("action=\"factor/begin\""), "\(page.text)")
            #expect(try await browser.open(path + "/enrol").location == path)
            #expect(try await browser.submit(path + "/finish", [:]).status == 400)
            #expect(try await browser.submit(path + "/begin", [:]).location == path + "/enrol")
            let enrolment = try await browser.open(path + "/enrol")
            let seed = try Self.seed(on: enrolment)
            #expect(enrolment.text.contains("otpauth://totp/Test%20app:ada%40example.com?secret="))
            #expect(try await browser.submit(path + "/enrol", ["code": "000000"]).status == 422)
            let codes = try await browser.submit(path + "/enrol", ["code": Self.code(seed, server)])
            #expect(codes.status == 200 && codes.text.matches(of: /<li>[a-z2-7-]{29}<\/li>/).count == 10)
            #expect(browser.cookie("__Host-gatepost-session") == nil)
            // Shown once: the same page later has only the button.
            let later = try await browser.open(path)
            #expect(later.text.contains("action=\"\(path)/finish\"") && !later.text.contains("<li>"))

            let answer = try await browser.submit(path + "/finish", [:])
            let tokens = try await server.exchange(try #require(answer.parameter("code"), "\(answer.text)"))
            let claims = try #require(tokens.field("id_token")?.split(separator: ".").dropFirst().first)
            let text = String(decoding: Base64URL.decode(Array(claims.utf8)) ?? [], as: UTF8.self)
            #expect(text.contains(#""amr":["pwd","otp","mfa"],"acr":"mfa""#), "\(text)")
        }
    }

    /// A browser on the page that sets an authenticator up, from the account's pages, and that page.
    private static func enrolling(_ server: TestServer) async throws -> (browser: TestBrowser, page: HTTPResponse) {
        try await server.flows.verifiedUser(.of(email))
        let browser = TestBrowser(server)
        _ = try await browser.submit("\(server.hosted)/sign-in", ["email": email, "password": password])
        let path = "\(server.hosted)/account/factor"
        #expect(try await browser.submit(path, ["password": password]).location == path + "/enrol")
        return (browser, try await browser.open(path + "/enrol"))
    }

    @Test func `the picture has the modules of the link, within the page and its policy`() async throws {
        try await TestServer.running { server in
            let page = try await Self.enrolling(server).page
            let found = try #require(page.text.firstMatch(of: /href="(otpauth:[^"]+)"/)).1
            let link = String(found).replacing("&amp;", with: "&")
            let symbol = try #require(QRSymbol(link))
            let side = symbol.side + 8
            let start = "<svg class=\"picture\" role=\"img\" aria-label=\"QR code of the key\" "
            #expect(page.text.contains("\(start)viewBox=\"0 0 \(side) \(side)\" width=\"\(side * 4)\""))
            let path = try #require(page.text.firstMatch(of: /<path d="([^"]+)" fill="#000"\/>/)).1
            var drawn: Set<[Int]> = []
            for run in path.matches(of: /M(\d+) (\d+)h(\d+)v1h-(\d+)z/) {
                let numbers = [run.1, run.2, run.3, run.4].compactMap { Int($0) }
                #expect(numbers.count == 4 && numbers[2] == numbers[3])
                for column in 0..<numbers[2] { drawn.insert([numbers[0] + column, numbers[1]]) }
            }
            for row in 0..<side {
                for column in 0..<side {
                    let isInside = (4..<side - 4).contains(row) && (4..<side - 4).contains(column)
                    let isDark = isInside && symbol[row - 4, column - 4]
                    #expect(drawn.contains([column, row]) == isDark, "\(column) \(row)")
                }
            }
            let policy = try #require(page.header("Content-Security-Policy"))
            #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-") && !policy.contains("img-src"))
            #expect(!page.text.contains("data:") && !page.text.contains("<script"))
            #expect(page.header("Cache-Control") == "no-store")
        }
    }

    @Test func `where the app's name is too long for a picture, the key and the link do`() async throws {
        try await TestServer.running { server in
            let name = String(repeating: "é", count: 100)
            let renamed = try await server.admin(
                "PATCH", server.adminAPI, key: try await server.apiKey(.admin), json: #"{"name": "\#(name)"}"#)
            #expect(renamed.status == 200, "\(renamed.text)")
            // The flows remember the app for a second, as another node does.
            server.app.database.forget(server.app.id)
            let (browser, page) = try await Self.enrolling(server)
            #expect(page.status == 200 && !page.text.contains("<svg") && !page.text.contains("Scan this picture"))
            #expect(page.text.contains("by typing this key") && page.text.contains("href=\"otpauth://totp/%C3%A9"))
            let seed = try Self.seed(on: page)
            let codes = try await browser.submit(
                "\(server.hosted)/account/factor/enrol", ["code": Self.code(seed, server)])
            #expect(codes.status == 200, "\(codes.text)")
        }
    }

    @Test func `on the account's page one is set up, given other recovery codes, and removed`() async throws {
        try await TestServer.running { server in
            try await server.flows.verifiedUser(.of(Self.email))
            let browser = TestBrowser(server)
            _ = try await browser.submit("\(server.hosted)/sign-in", ["email": Self.email, "password": Self.password])
            let path = "\(server.hosted)/account/factor"
            #expect(try await browser.open("\(server.hosted)/account").text.contains("href=\"\(path)\""))
            #expect(try await browser.submit(path, ["password": "wrong"]).text.contains("This password is wrong."))
            #expect(try await browser.submit(path, ["password": Self.password]).location == path + "/enrol")
            let seed = try Self.seed(on: try await browser.open(path + "/enrol"))
            let codes = try await browser.submit(path + "/enrol", ["code": Self.code(seed, server)])
            #expect(codes.status == 200 && codes.text.matches(of: /<li>[a-z2-7-]{29}<\/li>/).count == 10)
            #expect(try await browser.open(path).text.contains("10 recovery codes left"))

            server.app.clock.advance(by: .minutes(1))
            let half = try await browser.submit(path + "/recovery-codes", ["password": Self.password])
            #expect(half.status == 422 && half.text.contains("Type the code."))
            let proof: KeyValuePairs = ["password": Self.password, "code": Self.code(seed, server)]
            #expect(try await browser.submit(path + "/recovery-codes", proof).status == 200)
            // The same step is not taken twice.
            #expect(try await browser.submit(path + "/remove", proof).status == 422)
            server.app.clock.advance(by: .minutes(1))
            let removed = try await browser.submit(
                path + "/remove", ["password": Self.password, "code": Self.code(seed, server)])
            #expect(removed.location == path + "?done=removed", "\(removed.text)")
            #expect(try await browser.open(path + "?done=removed").text.contains("The second factor is removed."))
            let mails = try await server.app.ledger().map(\.kind).filter { $0 == "mail.factor_changed" }
            #expect(mails.count == 3)
        }
    }
}

extension EmailAddress {
    /// An address that a test writes down.
    fileprivate static func of(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text)) }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// Guessing is slowed until it is hopeless, and no stranger keeps anybody out for good (docs/decisions/0025).
@Suite("Lock-out", .showsSeed, .timeLimit(.minutes(2)))
struct LockoutTests {
    let ada: EmailAddress
    let wrong = Secret("wrong lamps on a grey harbour wall")

    init() throws {
        ada = try .of("ada@example.com")
    }

    /// Comes from the network of this number.
    private func origin(_ network: Int, device: Secret? = nil) -> RequestOrigin {
        RequestOrigin(ip: "198.51.\(network / 250).\(network % 250 + 1)", userAgent: nil, device: device)
    }

    private func signIn(
        _ test: TestFlows, _ password: Secret? = nil, from origin: RequestOrigin, email: EmailAddress? = nil
    ) async throws -> PasswordSignInFlow.Outcome {
        try await test.flows.signIn.signIn(
            email ?? ada, password: password ?? wrong, to: test.client(), in: test.scope, from: origin)
    }

    /// A guess that costs no hash: it is counted, and then refused because of its client.
    private func guess(_ test: TestFlows, from origin: RequestOrigin) async throws {
        let client = PasswordSignInFlow.Client(
            id: test.app.newID(), redirectURI: TestFlows.redirectURI, challenge: try TestFlows.challenge())
        _ = try await test.flows.signIn.signIn(ada, password: wrong, to: client, in: test.scope, from: origin)
    }

    /// A person whose device is known.
    private func knownDevice(_ test: TestFlows) async throws -> Secret {
        try await test.verifiedUser(ada)
        #expect(try await signIn(test, TestFlows.password, from: origin(1)).code != nil)
        return test.flows.devices.token(for: ada, in: test.scope)
    }

    @Test func `one attacker is refused, and the person gets in from elsewhere with the right password`()
        async throws
    {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)

        for _ in 0..<200 { try await guess(test, from: origin(7)) }

        #expect(try await signIn(test, from: origin(7)).refusal?.code == .rateLimited)
        #expect(try await signIn(test, TestFlows.password, from: origin(7)).refusal?.code == .rateLimited)
        #expect(try await signIn(test, TestFlows.password, from: origin(8)).code != nil)
    }

    @Test func `an attacker of many networks is refused everywhere, but not on the person's own device`()
        async throws
    {
        let test = try await TestFlows.make()
        let device = try await knownDevice(test)

        for network in 100..<160 { try await guess(test, from: origin(network)) }

        #expect(
            try await signIn(test, TestFlows.password, from: origin(500)).refusal?.limit?.limit.name == "proof.address")
        #expect(try await signIn(test, TestFlows.password, from: origin(500, device: device)).code != nil)
        // A quarter of an hour later the address has tries for everybody again.
        test.clock.advance(by: .minutes(15))
        #expect(try await signIn(test, TestFlows.password, from: origin(501)).code != nil)
    }

    @Test func `after a hundred wrong tries in a row strangers are refused, whatever the hour`() async throws {
        let test = try await TestFlows.make()
        let device = try await knownDevice(test)
        for quarter in 0..<5 {
            for network in 0..<20 { try await guess(test, from: origin(100 + 20 * quarter + network)) }
            test.clock.advance(by: .minutes(15))
        }

        let refusal = try await signIn(test, TestFlows.password, from: origin(400)).refusal
        #expect(refusal?.limit?.limit.name == "proof.streak" && refusal?.detail?.contains("device") == true)
        test.clock.advance(by: .days(10))
        #expect(try await signIn(test, from: origin(401)).refusal?.code == .rateLimited)

        // Once the person is in, on the device that is known, the address is open to all again.
        #expect(try await signIn(test, TestFlows.password, from: origin(402, device: device)).code != nil)
        #expect(try await signIn(test, TestFlows.password, from: origin(403)).code != nil)
    }

    @Test func `reading the mailbox ends it: a reset, or a sign-in by a mail's link, opens the address to all`()
        async throws
    {
        for isReset in [true, false] {
            let test = try await TestFlows.make()
            try await test.verifiedUser(ada)
            for quarter in 0..<5 {
                for network in 0..<20 { try await guess(test, from: origin(100 + 20 * quarter + network)) }
                test.clock.advance(by: .minutes(15))
            }
            #expect(try await signIn(test, TestFlows.password, from: origin(400)).refusal?.code == .rateLimited)

            if isReset {
                let begun = try await test.beginReset(ada)
                let link = test.secrets(of: begun.flow, .passwordReset).linkToken
                #expect(try await test.reset(by: link, to: TestFlows.password).user != nil)
            } else {
                let browser = BrowserTokens(browser: .make(.browser, random: test.app.random), session: nil)
                let begun = try test.started(
                    await test.flows.emailSignIn.start(
                        ada, for: nil, by: browser, locale: nil, in: test.scope, from: TestFlows.origin))
                let link = test.secrets(of: begun.flow, .emailSignIn).linkToken
                let outcome = try await test.flows.emailSignIn.confirm(
                    link, by: browser, in: test.scope, from: TestFlows.origin)
                #expect(outcome.refusal == nil)
            }

            #expect(try await signIn(test, TestFlows.password, from: origin(401)).code != nil, "\(isReset)")
        }
    }

    @Test func `without a known device it ends by itself too: a stranger locks nobody out for good`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        for quarter in 0..<5 {
            for network in 0..<20 { try await guess(test, from: origin(100 + 20 * quarter + network)) }
            test.clock.advance(by: .minutes(15))
        }
        // Whoever goes on trying does not make it longer.
        for day in 0..<29 {
            try await guess(test, from: origin(300 + day))
            test.clock.advance(by: .days(1))
        }
        #expect(try await signIn(test, TestFlows.password, from: origin(400)).refusal?.code == .rateLimited)

        test.clock.advance(by: .days(1))

        #expect(try await signIn(test, TestFlows.password, from: origin(401)).code != nil)
    }

    @Test func `a known device has twenty tries of its own, counted wherever it is`() async throws {
        let test = try await TestFlows.make()
        let device = try await knownDevice(test)
        for network in 0..<20 { try await guess(test, from: origin(100 + network, device: device)) }

        let refusal = try await signIn(test, TestFlows.password, from: origin(300, device: device)).refusal

        #expect(refusal?.limit?.limit.name == "proof.device")
        // They were nobody else's.
        #expect(try await signIn(test, TestFlows.password, from: origin(300)).code != nil)
    }

    @Test func `a device of another address, of another app, too old or forged is a stranger`() async throws {
        let (test, other) = (try await TestFlows.make(), try await TestFlows.make())
        let device = try await knownDevice(test)
        for network in 100..<160 { try await guess(test, from: origin(network)) }
        let bob = try EmailAddress.of("bob@example.com")
        var forged = Array(device.revealed)
        forged[20] = forged[20] == "A" ? "B" : "A"

        for token in [
            test.flows.devices.token(for: bob, in: test.scope), other.flows.devices.token(for: ada, in: other.scope),
            Secret(String(forged)), Secret("gdv_"), Secret(""), Secret(String(repeating: "x", count: 5000)),
        ] {
            let outcome = try await signIn(test, TestFlows.password, from: origin(300, device: token))
            #expect(outcome.refusal?.code == .rateLimited)
        }
        #expect(try await signIn(test, TestFlows.password, from: origin(300, device: device)).code != nil)
        test.clock.advance(by: Lifetimes.knownDevice)
        for network in 100..<160 { try await guess(test, from: origin(network)) }
        let late = try await signIn(test, TestFlows.password, from: origin(300, device: device))
        #expect(late.refusal?.code == .rateLimited)
    }

    @Test func `one network that tries many addresses is refused, and addresses of one 64 count together`()
        async throws
    {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        func spray(_ number: Int) -> RequestOrigin {
            RequestOrigin(ip: "2001:db8:1:2::\(String(number, radix: 16))", userAgent: nil)
        }
        for number in 1...100 {
            let client = PasswordSignInFlow.Client(
                id: test.app.newID(), redirectURI: TestFlows.redirectURI, challenge: try TestFlows.challenge())
            _ = try await test.flows.signIn.signIn(
                .of("user\(number)@example.com"), password: wrong, to: client, in: test.scope, from: spray(number))
        }

        let refusal = try await signIn(test, TestFlows.password, from: spray(5000)).refusal
        #expect(refusal?.limit?.limit.name == "proof.client")
        let neighbour = RequestOrigin(ip: "2001:db8:1:3::1", userAgent: nil)
        #expect(try await signIn(test, TestFlows.password, from: neighbour).code != nil)
    }

    /// CVE-2025-64102 (Zitadel), CVE-2026-9798 (Keycloak): a way beside the password skipped its limit.
    @Test func `abuse case 24: codes and passwords of one address are counted together`() async throws {
        let test = try await TestFlows.make()
        for _ in 0..<18 { try await guess(test, from: TestFlows.origin) }
        let started = try await test.signUp(ada)
        func verify(_ code: String) async throws -> VerificationFlow.Outcome {
            try await test.flows.verification.verify(
                started.flow, startedBy: started.token, code: code, in: test.scope, from: TestFlows.origin)
        }

        let codes = try await [verify("00000000"), verify("00000001"), verify("00000002")].map { $0.refusal?.code }

        #expect(codes == [.invalidCode, .invalidCode, .rateLimited])
        #expect(try await signIn(test, from: TestFlows.origin).refusal?.code == .rateLimited)
    }

    /// better-auth #8067: one code was accepted by several parallel requests, and the counter of tries was passed by.
    @Test func `abuse case 7: of many parallel tries at a code five are compared and at most one passes`() async throws
    {
        let test = try await TestFlows.make()
        let started = try await test.signUp(ada)
        let code = try #require(test.secrets(of: started.flow)?.code.revealed)

        let outcomes = try await race(20) {
            try await test.flows.verification.verify(
                started.flow, startedBy: started.token, code: code, in: test.scope, from: TestFlows.origin)
        }

        #expect(outcomes.count { $0.verifiedUser != nil } <= 1)
        #expect(try await guessesCompared(test) == 5)
    }

    /// How many of racing wrong codes were compared at all.
    private func guessesCompared(_ test: TestFlows) async throws -> Int {
        let started = try await test.signUp(.of("bob@example.com"))
        let outcomes = try await race(20) {
            try await test.flows.verification.verify(
                started.flow, startedBy: started.token, code: "00000000", in: test.scope, from: TestFlows.origin)
        }
        return outcomes.count { $0.refusal?.code == .invalidCode }
    }

    @Test func `strangers use up their own share of the mails to an address, not its owner's`() async throws {
        let test = try await TestFlows.make()
        let device = try await knownDevice(test)
        func mail(_ origin: RequestOrigin) async throws -> String? {
            let outcome = try await test.flows.signUp.start(
                ada, password: TestFlows.password, in: test.scope, from: origin)
            return outcome.refusal?.limit?.limit.name
        }
        test.clock.advance(by: .hours(1))
        for network in 0..<2 { for _ in 0..<5 { #expect(try await mail(origin(network)) == nil) } }

        #expect(try await mail(origin(0)) == "mail")
        #expect(try await mail(origin(9)) == "mail.address")
        #expect(try await mail(origin(9, device: device)) == nil)
    }

    @Test func `an app's mails and one network's have a budget, by the app's settings`() async throws {
        var settings = AppSettings()
        (settings.mailsPerHour, settings.clientMailsPerHour, settings.recipientMailsPerHour) = (10, 5, 1)
        let test = try await TestFlows.make(settings: settings)
        func mail(_ number: Int, _ network: Int) async throws -> String? {
            let outcome = try await test.flows.signUp.start(
                .of("user\(number)@example.com"), password: TestFlows.password, in: test.scope, from: origin(network))
            return outcome.refusal?.limit?.limit.name
        }
        for number in 0..<5 { #expect(try await mail(number, 1) == nil) }
        #expect(try await mail(5, 1) == "mail.client")
        #expect(try await mail(0, 2) == "mail.address")
        for number in 6..<10 { #expect(try await mail(number, 3) == nil) }
        #expect(try await mail(11, 4) == "mail.app")
    }
}

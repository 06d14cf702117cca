import GatepostFlows
import GatepostModel
import TestSupport

/// Sign-ups and how they are verified.
extension World {
    var app: SimulatedApp { apps[chance.number(below: apps.count)] }

    /// One of the newest people of an app who fit; nil if none does.
    func person(of app: SimulatedApp, _ fits: (Person) -> Bool) -> Person? {
        chosen(app.people.suffix(Self.peopleInView).filter(fits))
    }

    /// A person who fits and their app, in whichever app has one.
    func anybody(_ fits: (Person) -> Bool) -> (SimulatedApp, Person)? {
        let first = chance.number(below: apps.count)
        for offset in 0..<apps.count {
            let app = apps[(first + offset) % apps.count]
            if let person = person(of: app, fits) { return (app, person) }
        }
        return nil
    }

    func signUpSomebodyNew() async throws -> Bool {
        let app = app
        // The same addresses in every app: two users each time.
        guard let email = EmailAddress("person\(app.people.count)@example.com") else { return false }
        let person = Person(email)
        app.people.append(person)
        try await signUp(person, in: app)
        return true
    }

    func signUpAgain() async throws -> Bool {
        guard let (app, person) = anybody({ $0.exists }) else { return false }
        try await signUp(person, in: app)
        return true
    }

    private func signUp(_ person: Person, in app: SimulatedApp) async throws {
        person.forgetOld()
        let password = Self.passwords[chance.number(below: Self.passwords.count)]
        let isAllowed = person.mailLimit.spend(at: now)
        let outcome = try await app.flows.signUp.start(
            person.email, password: password, in: app.scope, from: TestFlows.origin)
        switch outcome {
        case .started(let started) where isAllowed:
            app.count("sign_up.started")
            if !person.exists { app.owe(.userCreated) }
            person.exists = true
            person.supersedeSignUps()
            guard
                let secrets = FlowSecrets(
                    app: app.id, flow: started.flow, kind: .signUp, epoch: keys.currentEpoch, keys: keys)
            else { return differ("a sign-up has no secrets") }
            let signUp = SignUpModel(started, secrets, password: password, of: person)
            person.signUps.append(signUp)
            signUps[started.flow] = signUp
        case .refused(let refusal) where !isAllowed && refusal.code == .rateLimited:
            app.count("sign_up.refused")
        case .started: differ("a sign-up past the limit was taken")
        case .refused(let refusal): differ("a sign-up was refused: \(refusal.code)")
        }
    }

    func resendMail() async throws -> Bool {
        guard let (app, person) = anybody({ $0.signUps.last != nil }), let signUp = person.signUps.last else {
            return false
        }
        let waits = signUp.state == .pending && signUp.started.expiresAt > now
        let isAllowed = waits && person.mailLimit.spend(at: now)
        let refusal = try await app.flows.verification.resend(
            signUp.started.flow, startedBy: signUp.started.token, in: app.scope, from: TestFlows.origin)
        app.count(isAllowed ? "verification.resent" : "verification.refused")
        let expected: ProblemCode? = isAllowed ? nil : waits ? .rateLimited : .invalidFlow
        if refusal?.code != expected {
            differ("a resend came to \(refusal?.code.rawValue ?? "a mail"), not \(expected?.rawValue ?? "a mail")")
        }
        return true
    }

    /// The mail has arrived, and its link is opened where the sign-up began.
    func verifyByLink() async throws -> Bool {
        guard let (app, person) = anybody({ $0.signUps.last?.hasMail == true && !$0.isVerified }),
            let signUp = person.signUps.last
        else { return false }
        let stands = signUp.stands(for: person, at: now)
        let outcome = try await app.flows.verification.confirm(
            signUp.secrets.linkToken, startedBy: signUp.started.token, in: app.scope, from: TestFlows.origin)
        note(outcome, of: signUp, by: person, in: app, stands: stands, orElse: .invalidLink)
        return true
    }

    /// The link is opened elsewhere: whoever reads the mailbox chooses the password.
    func verifyByLinkElsewhere() async throws -> Bool {
        guard let (app, person) = anybody({ $0.signUps.last?.hasMail == true && !$0.isVerified }),
            let signUp = person.signUps.last
        else { return false }
        let stands = signUp.stands(for: person, at: now)
        let password = Self.passwords[chance.number(below: Self.passwords.count)]
        let outcome = try await app.flows.verification.confirm(
            signUp.secrets.linkToken, choosing: password, in: app.scope, from: TestFlows.origin)
        note(outcome, of: signUp, by: person, in: app, stands: stands, orElse: .invalidLink, password: password)
        return true
    }

    /// A link that was used, superseded or refused.
    func useLinkAgain() async throws -> Bool {
        guard let (app, person) = anybody({ $0.signUps.contains { $0.hasMail && $0.state != .pending } }),
            let signUp = chosen(person.signUps.filter { $0.hasMail && $0.state != .pending })
        else { return false }
        let outcome = try await app.flows.verification.confirm(
            signUp.secrets.linkToken, startedBy: signUp.started.token, in: app.scope, from: TestFlows.origin)
        note(outcome, of: signUp, by: person, in: app, stands: false, orElse: .invalidLink)
        return true
    }

    /// Somebody types wrong codes: once, or until there is no try left.
    func tryWrongCodes() async throws -> Bool {
        guard let (app, person) = anybody({ $0.signUps.last?.hasMail == true && !$0.isVerified }),
            let signUp = person.signUps.last
        else { return false }
        for _ in 0..<(oneIn(3) ? 7 : 1) { try await verify(signUp, of: person, in: app, isRight: false) }
        return true
    }

    func verifyByCode() async throws -> Bool {
        guard let (app, person) = anybody({ $0.signUps.last?.hasMail == true && !$0.isVerified }),
            let signUp = person.signUps.last
        else { return false }
        try await verify(signUp, of: person, in: app, isRight: true)
        return true
    }

    private func verify(_ signUp: SignUpModel, of person: Person, in app: SimulatedApp, isRight: Bool) async throws {
        let mayPass = isRight && signUp.stands(for: person, at: now)
        let expected =
            refusalOfCode(of: signUp) ?? (person.spendProof(at: now) ? nil : .rateLimited)
            ?? spendCode(of: signUp, isRight: mayPass)
        let stands = expected == nil
        let right = signUp.secrets.code.revealed
        let code = isRight ? right : String(right.reversed()) == right ? "0" : String(right.reversed())
        let outcome = try await app.flows.verification.verify(
            signUp.started.flow, startedBy: signUp.started.token, code: code, in: app.scope, from: TestFlows.origin)
        if stands { person.refundProof() }
        note(outcome, of: signUp, by: person, in: app, stands: stands, orElse: expected ?? .invalidCode)
    }

    /// What refuses a try at a code before anything is spent.
    func refusalOfCode(of signUp: SignUpModel) -> ProblemCode? {
        guard signUp.started.expiresAt > now else { return .invalidFlow }
        if signUp.state == .pending, signUp.wrongCodes >= Int(FlowSecrets.codeAttemptsMax) {
            signUp.state = .exhausted
        }
        switch signUp.state {
        case .pending: return nil
        case .exhausted: return .codeAttemptsExhausted
        case .passed, .superseded, .deactivated: return .invalidFlow
        }
    }

    /// Counts a code if it is wrong; nil for a right one.
    func spendCode(of signUp: SignUpModel, isRight: Bool) -> ProblemCode? {
        guard !isRight else { return nil }
        signUp.wrongCodes += 1
        return .invalidCode
    }

    /// Compares what a verification came to with what it must, and takes note of it.
    func note(
        _ outcome: VerificationFlow.Outcome, of signUp: SignUpModel, by person: Person, in app: SimulatedApp,
        stands: Bool, orElse code: ProblemCode, password: Secret? = nil
    ) {
        switch outcome {
        case .verified(let user):
            guard stands else {
                return breach(
                    signUp.state == .passed ? .nothingRedeemedTwice : .theDeadStayDead,
                    "a sign-up that does not stand was verified: \(signUp.state)")
            }
            if let known = person.id, known != user { breach(.noRowOfAnotherApp, "a link verified another user") }
            pass(signUp, by: person, as: user, in: app, password: password)
        case .refused(let refusal):
            app.count("verification.refused")
            if stands { differ("a sign-up that stands was refused: \(refusal.code)") }
            if refusal.code != code { differ("a verification was refused: \(refusal.code) and not \(code)") }
        }
    }

    /// The address is proved.
    func pass(
        _ signUp: SignUpModel, by person: Person, as user: UserID, in app: SimulatedApp, password: Secret? = nil
    ) {
        person.wrongInARow.end()
        (person.id, person.isVerified, person.password) = (user, true, password ?? signUp.password)
        person.raiseEpoch()
        signUp.state = .passed
        app.count("user.verified")
        app.owe(.userVerified)
    }
}

import Testing

@testable import gatepost_chaos

/// The checker can fail: each harm that is planted into a round without one is found, and nothing else is.
@Suite("Chaos checker")
struct CheckerTests {
    private static let (ada, eve) = ("ada@chaos.example", "eve@chaos.example")

    /// Ada signed up, verified, signed in, refreshed and was deactivated; everything came once.
    private static var clean: Evidence {
        var evidence = Evidence()
        func deed(_ kind: Deed.Kind, session: String? = nil, token: String? = nil) -> Deed {
            Deed(
                kind: kind, email: ada, isAcknowledged: true, flow: kind == .signUp ? "f1" : nil, session: session,
                tokenHash: token)
        }
        evidence.deeds = [
            deed(.signUp), deed(.verify), deed(.signIn), deed(.exchange, session: "s1"),
            deed(.refresh, session: "s1", token: "t1"), deed(.deactivate),
        ]
        evidence.endpoints = ["/a"]
        evidence.users = ["u1": .init(email: ada, isVerified: true, isDeactivated: true)]
        (evidence.flows, evidence.sessions, evidence.tokenHashes) = (["f1"], ["s1"], ["t1"])
        for event in [
            "sign_up.started f1", "user.verified u1", "sign_in.passed u1", "session.started s1", "token.refreshed s1",
            "user.deactivated u1",
        ] { evidence.audit[event] = 1 }
        evidence.owe("m1", flow: "f1")
        evidence.receive("m1", to: ada)
        for (id, type) in [("n1", "user.created"), ("n2", "user.verified"), ("n3", "user.deactivated")] {
            evidence.owe(id, type: type)
            evidence.receive(id, type: type)
        }
        evidence.owe("n4", type: "session.ended", session: "s1")
        evidence.receive("n4", type: "session.ended", session: "s1", reason: "user_deactivated")
        return evidence
    }

    private func findings(_ change: (inout Evidence) -> Void) -> [Finding.Kind] {
        var evidence = Self.clean
        change(&evidence)
        return Checker(evidence).verdict().findings.map(\.kind)
    }

    @Test func `a round without a flaw is clean`() {
        let verdict = Checker(Self.clean).verdict()
        #expect(verdict.findings == [])
        #expect(verdict.line == "lost=0 invented=0 dup_same_id=0 dup_other=0 late=0 audit_missing=0")
    }

    @Test(arguments: ["m1", "n1", "n2", "n3", "n4"])
    func `what the ledger calls delivered and nobody received is lost`(message: String) {
        #expect(findings { $0.receipts.removeAll { $0.message == message } } == [.lost])
    }

    @Test(arguments: ["m1", "n1", "n2", "n3", "n4"])
    func `what was acknowledged and never owed is lost, and what came of it is made up`(message: String) {
        #expect(findings { $0.ledger.removeAll { $0.message == message } }.sorted() == [.invented, .lost])
    }

    @Test func `what is still owed in the end is lost`() {
        let found = findings { evidence in
            evidence.receipts.removeAll { $0.message == "n2" }
            evidence.end("n2", "owed")
        }
        #expect(found == [.lost])
    }

    @Test(arguments: Deed.Kind.allCases.filter { $0 != .signIn })
    func `an acknowledged change whose row is gone is lost`(kind: Deed.Kind) {
        let found = findings { evidence in
            switch kind {
            case .signUp: evidence.flows = []
            case .verify: evidence.users["u1"] = .init(email: Self.ada, isVerified: false, isDeactivated: true)
            case .exchange: evidence.sessions = []
            case .refresh: evidence.tokenHashes = []
            case .deactivate: evidence.users["u1"] = .init(email: Self.ada, isVerified: true, isDeactivated: false)
            case .signIn: break
            }
        }
        #expect(found == [.lost])
    }

    @Test func `an end that explains itself is no loss`() {
        func unreceived(_ state: String, _ change: (inout Evidence) -> Void = { _ in }) -> [Finding.Kind] {
            findings { evidence in
                evidence.receipts.removeAll { $0.message == "m1" }
                evidence.end("m1", state)
                change(&evidence)
            }
        }
        // Ada was deactivated, so her mail may be taken back; nobody refused it, and it lived for a day.
        #expect(unreceived("cancelled") == [])
        #expect(unreceived("obsolete") == [])
        #expect(unreceived("rejected") == [.lost])
        #expect(unreceived("rejected") { $0.refusedForGood = [Self.ada] } == [])
        #expect(unreceived("expired") == [.lost])
        #expect(unreceived("expired") { $0.shorten("m1", to: 60) } == [])
        #expect(unreceived("exhausted") == [.lost])
        #expect(unreceived("exhausted") { $0.refusedForGood = [Self.ada] } == [])
        // A failed attempt, or one whose reply was lost, and the life is over before the next one.
        for state in ["exhausted", "indeterminate"] {
            #expect(unreceived(state) { $0.shorten("m1", to: 60) } == [])
            #expect(unreceived(state) { $0.shorten("m1", to: 6000) } == [.lost])
        }
        #expect(unreceived("indeterminate") == [.lost])
        #expect(unreceived("indeterminate") { $0.refusedForGood = [Self.ada] } == [.lost])
    }

    @Test func `a mail or a notice that nobody asked for is made up`() {
        #expect(findings { $0.deeds.removeAll { $0.kind == .verify } } == [.invented])
        let foreign = findings { evidence in
            evidence.users["u2"] = .init(email: Self.eve, isVerified: false, isDeactivated: false)
            evidence.owe("m2", flow: "f2", user: "u2")
            evidence.receive("m2", to: Self.eve)
        }
        #expect(foreign == [.invented])
    }

    @Test func `what was asked for without an answer is neither made up nor owed`() {
        let found = findings { evidence in
            evidence.deeds.append(Deed(kind: .signUp, email: Self.eve))
            evidence.users["u2"] = .init(email: Self.eve, isVerified: false, isDeactivated: false)
            evidence.owe("m2", flow: "f2", user: "u2")
            evidence.receive("m2", to: Self.eve)
            evidence.deeds.append(Deed(kind: .signUp, email: "nobody@chaos.example"))
        }
        #expect(found == [])
    }

    @Test func `a mail to another address and a notice of something else are made up`() {
        #expect(findings { $0.change("m1") { $0.with(to: Self.eve) } }.contains(.invented))
        #expect(findings { $0.change("n2") { $0.with(to: "/b") } } == [.invented])
        let ended = findings { $0.change("n4") { $0.with(reason: "idle") } }
        #expect(ended == [.invented])
    }

    @Test func `a session that ended by a reuse is made up unless an answer was lost`() {
        #expect(findings { $0.change("n4") { $0.with(reason: "refresh_reused") } } == [.invented])
        let afterLoss = findings { evidence in
            evidence.change("n4") { $0.with(reason: "refresh_reused") }
            evidence.deeds.append(Deed(kind: .refresh, email: Self.ada))
        }
        #expect(afterLoss == [])
    }

    @Test func `a copy with the same id is counted and allowed`() {
        var evidence = Self.clean
        evidence.receive("m1", to: Self.ada)
        evidence.receive("n1", type: "user.created")
        let verdict = Checker(evidence).verdict()
        #expect(verdict.findings == [] && verdict.sameIDCount == 2)
    }

    @Test func `what its receiver refused has not come, and coming again is no copy`() {
        #expect(findings { $0.change("n1") { $0.refused } } == [.lost])
        var evidence = Self.clean
        evidence.change("n1") { $0.refused }
        evidence.receive("n1", type: "user.created")
        let verdict = Checker(evidence).verdict()
        #expect(verdict.findings == [] && verdict.sameIDCount == 0)
    }

    @Test func `two messages for one cause are found`() {
        let mails = findings { evidence in
            evidence.owe("m2", flow: "f1")
            evidence.receive("m2", to: Self.ada)
        }
        #expect(mails == [.duplicateOther])
        let notices = findings { evidence in
            evidence.owe("n5", type: "user.verified")
            evidence.receive("n5", type: "user.verified")
        }
        #expect(notices == [.duplicateOther])
    }

    @Test func `what comes after its end is late, unless it was under way`() {
        func taken(_ state: String, endedAt end: Double, stop: Evidence.Stop? = nil) -> [Finding.Kind] {
            findings { evidence in
                evidence.end("m1", state, at: end)
                evidence.stops = [stop].compactMap(\.self)
            }
        }
        // It came at 100.
        #expect(taken("cancelled", endedAt: 90) == [])
        #expect(taken("cancelled", endedAt: 60) == [.late])
        #expect(taken("expired", endedAt: 60) == [.late])
        #expect(taken("cancelled", endedAt: 60, stop: .init(begin: 55, end: 85)) == [])
        #expect(taken("cancelled", endedAt: 20, stop: .init(begin: 55, end: 85)) == [.late])
        // Delivered before: a copy of a worker that died is late for nothing.
        #expect(taken("delivered", endedAt: 20) == [])
    }

    @Test func `what comes after it has expired is late, and so is a notice that is stamped wrongly`() {
        #expect(findings { $0.shorten("m1", to: 99) } == [])
        #expect(findings { $0.shorten("m1", to: 60) } == [.late])
        #expect(findings { $0.change("n1") { $0.with(stamp: 700) } } == [.late])
    }

    @Test(arguments: clean.audit.keys.sorted())
    func `an acknowledged change without its event is found`(event: String) {
        #expect(findings { $0.audit[event] = nil } == [.auditMissing])
    }

    @Test func `two refreshes need two events`() {
        let found = findings { evidence in
            evidence.deeds.append(
                Deed(kind: .refresh, email: Self.ada, isAcknowledged: true, session: "s1", tokenHash: "t1"))
        }
        #expect(found == [.auditMissing])
    }
}

extension Finding.Kind: Comparable {
    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

import Testing

@testable import gatepost_chaos

/// What a seed stands for.
@Suite("Chaos plan")
struct FaultPlanTests {
    @Test func `the same seed makes the same faults, another one others`() {
        #expect(FaultPlan(seed: 7, count: 100).faults == FaultPlan(seed: 7, count: 100).faults)
        #expect(FaultPlan(seed: 7, count: 100).faults != FaultPlan(seed: 8, count: 100).faults)
    }

    @Test(arguments: 1...5) func `each hundred has every kind of fault, and most seldom what stops everything`(
        seed: UInt64
    ) {
        let plan = FaultPlan(seed: seed, count: 200)
        for hundred in [plan.faults.prefix(100), plan.faults.suffix(100)] {
            #expect(Set(hundred.map(\.kind)) == Set(Fault.Kind.allCases))
            #expect(hundred.count { $0.kind == .stopServer || $0.kind == .stopPooler } == 2)
        }
    }

    @Test func `what is stopped stands still for longer than a lease`() {
        let stops = FaultPlan(seed: 2, count: 660, only: "stop-").faults
        #expect(stops.count == 660)
        #expect(stops.allSatisfy { $0.seconds > Double(Site.lease.seconds) })
    }

    @Test func `a round with a crash, a thing that never recovered or too few faults is not clean`() {
        func report(
            crashes: [String] = [], recovery: Double? = 1, faults: Int = 9, planned: Int = 10
        ) -> Report {
            Report(
                verdict: Verdict(), faults: [.mail: faults], planned: planned,
                recoveries: [Recovery(fault: "mail", seconds: recovery)], crashes: crashes,
                deeds: [Deed(kind: .signUp, email: "ada@chaos.example", isAcknowledged: true)])
        }
        #expect(report().isClean)
        #expect(!report(crashes: ["work-1"]).isClean)
        #expect(!report(recovery: nil).isClean)
        #expect(!report(faults: 7).isClean)
        #expect(
            report().line(seed: 7) == """
                faults=9 lost=0 invented=0 dup_same_id=0 dup_other=0 late=0 audit_missing=0 recover_p99=1.0 s seed=7
                """)
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import Passwords
import Postgres
import Synchronization
import TestSupport
import Testing

/// A machine that has no room for one more hash refuses, and says so; nobody pays for it with a try.
@Suite("Busy hasher")
struct BusyHasherTests {
    let ada: EmailAddress

    init() throws {
        ada = try .of("ada@example.com")
    }

    /// The same app on a node whose hasher takes nothing.
    private func busy(_ test: TestFlows) async -> TestFlows {
        let hasher = PasswordHasher(threads: 1, queueMax: 1)
        await hasher.shutdown()
        return test.restarted(hasher: hasher)
    }

    /// What every limit has counted but the app's own.
    private func counts(_ test: TestFlows) async throws -> [Int32] {
        try await test.read("select count from rate_limits order by key_hash, window_at") { try $0.get("count") }
    }

    @Test func `a sign-in that is not compared gives its try back, ends no streak and has its event`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        for _ in 0..<3 { _ = try? await test.signIn(ada, password: TestFlows.newPassword) }
        let node = await busy(test)
        let before = try await counts(test)

        try await node.expectRefusal(.signInRefused, "busy", alsoChanging: ["rate_limits"]) {
            let outcome = try await node.flows.signIn.signIn(
                ada, password: TestFlows.password, to: node.client(), in: node.scope, from: TestFlows.origin)
            #expect(outcome.refusal?.code == .busy && outcome.refusal?.retryAfter == .seconds(1))
        }

        // Only the app's own count goes on: its row would be locked for everybody.
        let after = try await counts(test)
        #expect(zip(before, after).count { $0 != $1 } == 1)
        let streak = try await test.read("select count from rate_limits where window_at = 'epoch'") {
            try $0.get("count", as: Int32.self)
        }
        #expect(streak == [3])
    }

    @Test func `so does one on a page`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let node = await busy(test)
        let tokens = BrowserTokens(browser: .make(.browser, random: test.app.random), session: nil)

        for _ in 0..<30 {
            let outcome = try await node.flows.signIn.signIn(
                ada, password: TestFlows.password, for: nil, by: tokens, in: node.scope, from: TestFlows.origin)
            guard case .refused(let refusal) = outcome else {
                Issue.record("it signed in")
                return
            }
            #expect(refusal.code == .busy)
        }

        #expect(try await test.events().count { $0.kind == "sign_in.refused" && $0.reason == "busy" } == 30)
        _ = try await test.signIn(ada)
    }

    @Test func `a sign-up gives its mail back, and a new one begins once there is room`() async throws {
        let test = try await TestFlows.make()
        let node = await busy(test)
        for _ in 0..<10 {
            try await node.expectRefusal(.signUpRefused, "busy", alsoChanging: ["rate_limits"]) {
                let outcome = try await node.flows.signUp.start(
                    ada, password: TestFlows.password, in: node.scope, from: TestFlows.origin)
                #expect(outcome.refusal?.code == .busy)
            }
        }
        _ = try await test.signUp(ada)
    }

    @Test func `a link, a code, an undoing and a change are not used up`() async throws {
        let test = try await TestFlows.make()
        try await test.verifiedUser(ada)
        let asking = try await test.asking(test.tokens(ada))
        let node = await busy(test)
        let change = try await node.flows.passwordChange.change(
            for: asking, current: TestFlows.password, to: TestFlows.newPassword, endsOthers: false, in: node.scope,
            from: TestFlows.origin)
        #expect(change?.code == .busy)
        let begun = try await test.beginReset(ada)
        let secrets = test.secrets(of: begun.flow, .passwordReset)
        #expect(try await node.reset(by: secrets.linkToken).refusal?.code == .busy)
        let typed = try await node.flows.passwordReset.confirm(
            begun.flow, heldBy: begun.token, code: secrets.code.revealed, choosing: TestFlows.newPassword,
            in: node.scope, from: TestFlows.origin)
        #expect(typed.refusal?.code == .busy)
        let reasons = try await test.events().filter { $0.reason == "busy" }.map(\.kind)
        #expect(reasons == ["password_change.refused", "password_reset.refused", "password_reset.refused"])

        #expect(try await test.reset(by: secrets.linkToken).user != nil)
    }

    /// What the one password is kept as.
    private func hash(_ test: TestFlows) async throws -> [String] {
        try await test.read("select password_hash from credentials") { try $0.get("password_hash") }
    }

    /// The hasher that a test speaks of within its own closure.
    private final class Held: Sendable {
        let hasher = Mutex<PasswordHasher?>(nil)
    }

    @Test func `whoever has the right password gets in although there is no room to hash it anew`() async throws {
        let weak = PasswordHasher(threads: 1, queueMax: 9, strength: HashStrength(memoryBytes: 8192, passes: 1))
        let test = try await TestFlows.make(hasher: weak)
        try await test.verifiedUser(ada)
        let old = try await hash(test)
        // As soon as the comparison has begun, the hasher takes nothing more.
        let held = Held()
        let hasher = PasswordHasher(
            threads: 1, queueMax: 9,
            onWait: { _ in
                let hasher = held.hasher.withLock { $0 }
                Task.immediate { await hasher?.shutdown() }
            })
        held.hasher.withLock { $0 = hasher }
        let node = test.restarted(hasher: hasher)

        let code = try await node.signIn(ada)

        #expect(try await node.exchange(code) != nil)
        let new = try await hash(test)
        #expect(new == old)
        // With room it is replaced.
        let strong = PasswordHasher(threads: 1, queueMax: 9)
        _ = try await test.restarted(hasher: strong).signIn(ada)
        let replaced = try await hash(test)
        #expect(replaced != old)
        for hasher in [weak, strong] { await hasher.shutdown() }
    }
}

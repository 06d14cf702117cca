import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// The words of an app and of a person make no password.
@Suite("Password rules", .showsSeed)
struct PasswordRulesTests {
    private func start(
        _ password: String, for email: String = "marguerite.okonkwo@lindenhof.example", in test: TestFlows
    ) async throws -> Refusal? {
        try await test.flows.signUp.start(
            .of(email), password: Secret(password), in: test.scope, from: TestFlows.origin
        ).refusal
    }

    /// An app with names of its own.
    private func shop() async throws -> TestFlows {
        let test = try await TestFlows.make()
        let client = ClientID.make(at: test.clock.now, random: test.app.random)
        try await test.database.transaction(in: test.scope) { transaction in
            _ = try await transaction.changeApp(name: "Käsewölfe Shop", settings: AppSettings(), cleared: [])
            try await transaction.batch { batch in
                batch.insertClient(client, named: "Affineur-Cockpit", redirectURIs: [], at: test.clock.now)
            }
        }
        return test
    }

    @Test(arguments: [
        "kasewolfe shop 2026", "KÄSEWÖLFE!!käsewölfe", "k4sew0lfe-sh0p-123", "Ｋäsewölfe Ｓhop １２３", "affineurcockpit42",
        "gatepost-gatepost-1", "GatepostPassword1", "g4tep0st+affineur", "marguerite2026okonkwo", "okonkwo.lindenhof!",
        "lindenhof password 99", "käsewölfe-dragon-77", "marguerite.okonkwo@lindenhof.example",
    ])
    func `a password of the names of the app, its clients, the person or Gatepost is refused`(
        password: String
    ) async throws {
        let refusal = try await start(password, in: try await shop())
        #expect(refusal?.code == .weakPassword && refusal?.detailCode == "resembles_context")
    }

    @Test(arguments: [
        "käsewölfe laufen abends heim", "the affineur hums a slow waltz", "marguerite counts violet kites",
    ])
    func `one of these words among others is taken`(password: String) async throws {
        #expect(try await start(password, in: try await shop()) == nil)
    }

    @Test func `another app's names say nothing here`() async throws {
        _ = try await shop()
        #expect(try await start("kasewolfe affineur 2026", in: try await TestFlows.make()) == nil)
    }

    @Test func `parts of an address that are short words count only as a whole`() async throws {
        let test = try await TestFlows.make()
        #expect(try await start("ada.lea@abc.de 2026!", for: "ada.lea@abc.de", in: test)?.code == .weakPassword)
        #expect(try await start("lea walks an adamant goat", for: "ada.lea@abc.de", in: test) == nil)
    }
}

import GatepostFlows
import GatepostModel
import GatepostOutbox
import GatepostStore
import Postgres
import TestSupport
import Testing

/// An app whose mails an operator looks after.
struct DeliveryFixture {
    let app: TestApp
    let flow: DeliveryFlow
    let ada: EmailAddress

    static func make() async throws -> DeliveryFixture {
        let app = try await TestApp.make()
        return DeliveryFixture(
            app: app, flow: DeliveryFlow(database: app.database, clock: app.clock, random: app.random),
            ada: try #require(EmailAddress("ada@example.com")))
    }

    /// The newest message of the app.
    func newest() async throws -> LedgerEntry { try #require(try await app.ledger().first) }

    /// Begins a sign-up and returns it with its message.
    func signUp(_ address: String = "ada@example.com") async throws -> (signUp: TestApp.SignUp, message: MessageID) {
        let signUp = try await app.signUp(try #require(EmailAddress(address)))
        return (signUp, try await newest().id)
    }

    /// The audit trail of what was done to messages: kind, actor, message, note.
    func events() async throws -> [String] {
        try await app.database.batch(in: app.scope) { batch in
            batch.read(
                """
                select concat_ws(' ', kind, actor_kind, details ->> 'message', details ->> 'note', reason) as text
                  from audit_events
                 where app_id = \(app.id) and (kind like 'message.%' or kind = 'request.refused')
                 order by transaction_id, id
                """
            ) { try $0.map { try $0.get("text", as: String.self) } }
        }
    }

    func state(_ message: MessageID) async throws -> String? { try await app.history(of: message)?.entry.state }

    /// The link of a sign-up as its mails carry it.
    func link(_ signUp: TestApp.SignUp) -> String {
        "\(TestApp.baseURL)/apps/\(app.id)/links/\(signUp.secrets.linkToken.secret.revealed)"
    }
}

extension DeliveryRequest {
    static let byOperator = DeliveryRequest(byOperator: nil)
}

extension AdminOutcome {
    /// What it is about if it was done.
    var value: Value? {
        if case .done(let value) = self { value } else { nil }
    }

    var refusedCode: ProblemCode? {
        if case .refused(let refusal) = self { refusal.code } else { nil }
    }
}
